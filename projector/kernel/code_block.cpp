#include "code_block.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "code_heads.hpp"
#include "code_sums.hpp"
#include "float_limit.hpp"
#include "instructions.hpp"

namespace headwater {
namespace {

// Where rows are: one after another.
struct InOrder {
    const std::uint8_t* first;
    std::size_t stride;

    const std::uint8_t* row(std::size_t at) const { return first + at * stride; }
    void before(std::size_t, std::size_t) const {}
};

// Or here and there.
struct OfRows {
    const std::uint8_t* const* rows;
    std::size_t known;

    const std::uint8_t* row(std::size_t at) const { return rows[at]; }
    // Always inline: a function that does nothing else is taken for one that does nothing, and calls of it are left out.
    __attribute__((always_inline)) void before(std::size_t at, std::size_t width) const {
        constexpr std::size_t ahead = 16, cache_line = 64;
        if (at + ahead >= known) return;
        const std::uint8_t* next = rows[at + ahead];
        for (std::size_t byte = 0; byte < width; byte += cache_line) __builtin_prefetch(next + byte);
        __builtin_prefetch(next + width - 1);
    }
};

// Distances are put together by a multiplication and an addition each, never by both in one, which would round less.
template <ByteSums sums, class Where>
std::uint64_t near_by(Where where, std::size_t count, const void* query, std::size_t width, float limit,
                      float* distances) {
    const void* rows[block_rows];
    std::int32_t found[block_rows];
    for (std::size_t at = 0; at < count; ++at) {
        where.before(at, width);
        rows[at] = where.row(at);
    }
    const auto head = read<BytesHead>(query);
    sums(rows, count, reinterpret_cast<const std::int8_t*>(bytes_at(query, query_head)), width - row_head, found);
    std::uint64_t near = 0;
    for (std::size_t at = 0; at < count; ++at) {
        const auto row = read<RowHead>(rows[at]);
        float weighed = head.factor * static_cast<float>(found[at]);
        ROUNDED(weighed);
        float scaled = row.scale * (head.inner + weighed);
        ROUNDED(scaled);
        const float distance = (head.constant + row.offset) + scaled;
        distances[at] = distance;
        near |= static_cast<std::uint64_t>(!is_beyond(distance, limit)) << at;
    }
    return near;
}

template <ByteSums sums>
constexpr BlockFunctions functions_by = {
    [](const std::uint8_t* first, std::size_t stride, std::size_t count, const void* query, std::size_t width,
       float limit, float* distances) {
        return near_by<sums>(InOrder{first, stride}, count, query, width, limit, distances);
    },
    [](const std::uint8_t* const* rows, std::size_t count, std::size_t known, const void* query, std::size_t width,
       float limit, float* distances) {
        return near_by<sums>(OfRows{rows, known}, count, query, width, limit, distances);
    }};

#ifdef HEADWATER_X86

constexpr float largest = std::numeric_limits<float>::max();
constexpr std::size_t lanes = 16;   // rows that are compared together
constexpr std::size_t beside = 4;   // of these, those that are added up together
constexpr std::size_t register_bytes = 64;

// Of four rows the sums of codes times weights: of each a fourth in each fourth of the register.
CODES_VNNI inline __m512i sums_of_four(const std::uint8_t* const* rows, const std::int8_t* weights, std::size_t width) {
    const std::uint8_t* codes[beside];
    __m512i sums[beside];
    for (std::size_t row = 0; row < beside; ++row) {
        codes[row] = rows[row] + row_head;
        sums[row] = _mm512_setzero_si512();
    }
    const std::size_t count = width - row_head;
    std::size_t from = 0;
    for (; from + register_bytes <= count; from += register_bytes) {
        const __m512i weight = _mm512_loadu_si512(weights + from);
        for (std::size_t row = 0; row < beside; ++row)
            sums[row] = _mm512_dpbusd_epi32(sums[row], _mm512_loadu_si512(codes[row] + from), weight);
    }
    if (from < count) {
        const std::size_t left = count - from;
        if (width >= register_bytes) {
            // What ends with the row, the weights of what came before being zero: masks cost more.
            const __mmask64 chosen = ~__mmask64{0} << (register_bytes - left);
            const std::int8_t* end = weights + count;
            const __m512i weight = _mm512_maskz_loadu_epi8(chosen, end - register_bytes);
            for (std::size_t row = 0; row < beside; ++row)
                sums[row] = _mm512_dpbusd_epi32(
                    sums[row], _mm512_loadu_si512(codes[row] + count - register_bytes), weight);
        } else {
            const __mmask64 chosen = (__mmask64{1} << left) - 1;
            const __m512i weight = _mm512_maskz_loadu_epi8(chosen, weights);
            for (std::size_t row = 0; row < beside; ++row)
                sums[row] = _mm512_dpbusd_epi32(sums[row], _mm512_maskz_loadu_epi8(chosen, codes[row]), weight);
        }
    }
    const __m512i first = _mm512_add_epi32(_mm512_unpacklo_epi32(sums[0], sums[1]), _mm512_unpackhi_epi32(sums[0], sums[1]));
    const __m512i second = _mm512_add_epi32(_mm512_unpacklo_epi32(sums[2], sums[3]), _mm512_unpackhi_epi32(sums[2], sums[3]));
    return _mm512_add_epi32(_mm512_unpacklo_epi64(first, second), _mm512_unpackhi_epi64(first, second));
}

CODES_VNNI inline __m512i halves(__m512i first, __m512i second) {
    return _mm512_add_epi32(_mm512_shuffle_i32x4(first, second, 0x88), _mm512_shuffle_i32x4(first, second, 0xdd));
}

// Two rows' scales and offsets.
CODES_VNNI inline __m128 heads_of_two(const void* first, const void* second) {
    const __m128 one = _mm_castpd_ps(_mm_load_sd(static_cast<const double*>(first)));
    return _mm_loadh_pi(one, static_cast<const __m64*>(second));
}

struct Heads {
    __m512 scales;
    __m512 offsets;
};

CODES_VNNI inline __m512 together(const __m128* four) {
    __m512 all = _mm512_castps128_ps512(four[0]);
    all = _mm512_insertf32x4(all, four[1], 1);
    all = _mm512_insertf32x4(all, four[2], 2);
    return _mm512_insertf32x4(all, four[3], 3);
}

// Of [lanes] rows bits, and distances where there are any.
template <class Where>
CODES_VNNI inline std::uint64_t near_lanes(const Where& where, std::size_t at, const void* query, std::size_t width,
                                           float limit, float* distances) {
    const auto head = read<BytesHead>(query);
    const auto* weights = reinterpret_cast<const std::int8_t*>(bytes_at(query, query_head));
    __m512i sums[beside];
    __m128 scales[beside], offsets[beside];
    for (std::size_t four = 0; four < beside; ++four) {
        const std::size_t from = at + beside * four;
        for (std::size_t row = 0; row < beside; ++row) where.before(from + row, width);
        const std::uint8_t* rows[beside] = {where.row(from), where.row(from + 1), where.row(from + 2),
                                            where.row(from + 3)};
        sums[four] = sums_of_four(rows, weights, width);
        const __m128 low = heads_of_two(rows[0], rows[1]), high = heads_of_two(rows[2], rows[3]);
        scales[four] = _mm_shuffle_ps(low, high, 0x88);
        offsets[four] = _mm_shuffle_ps(low, high, 0xdd);
    }
    const __m512i sum = halves(halves(sums[0], sums[1]), halves(sums[2], sums[3]));
    __m512 weighed = _mm512_mul_ps(_mm512_set1_ps(head.factor), _mm512_cvtepi32_ps(sum));
    ROUNDED(weighed);
    __m512 scaled = _mm512_mul_ps(together(scales), _mm512_add_ps(_mm512_set1_ps(head.inner), weighed));
    ROUNDED(scaled);
    const __m512 distance = _mm512_add_ps(_mm512_add_ps(_mm512_set1_ps(head.constant), together(offsets)), scaled);
    const __mmask16 above = _mm512_cmp_ps_mask(distance, _mm512_set1_ps(limit), _CMP_GT_OQ);
    const __mmask16 beyond = _mm512_mask_cmp_ps_mask(above, distance, _mm512_set1_ps(largest), _CMP_LE_OQ);
    const auto near = static_cast<std::uint16_t>(~beyond);
    if (near != 0) _mm512_storeu_ps(distances + at, distance);
    return std::uint64_t{near} << at;
}

template <class Where>
CODES_VNNI inline std::uint64_t near_vnni(const Where& where, std::size_t count, const void* query, std::size_t width,
                                          float limit, float* distances) {
    std::uint64_t near = 0;
    std::size_t at = 0;
    for (; at + lanes <= count; at += lanes) near |= near_lanes(where, at, query, width, limit, distances);
    if (at == count) return near;
    // Fewer rows: the last stands for those that are missing.
    const std::uint8_t* rows[lanes];
    for (std::size_t lane = 0; lane < lanes; ++lane) rows[lane] = where.row(std::min(at + lane, count - 1));
    const std::uint64_t those = (std::uint64_t{1} << (count - at)) - 1;
    return near | (near_lanes(OfRows{rows, 0}, 0, query, width, limit, distances + at) & those) << at;
}

CODES_VNNI std::uint64_t in_order_vnni(const std::uint8_t* first, std::size_t stride, std::size_t count,
                                       const void* query, std::size_t width, float limit, float* distances) {
    return near_vnni(InOrder{first, stride}, count, query, width, limit, distances);
}

CODES_VNNI std::uint64_t of_rows_vnni(const std::uint8_t* const* rows, std::size_t count, std::size_t known,
                                      const void* query, std::size_t width, float limit, float* distances) {
    return near_vnni(OfRows{rows, known}, count, query, width, limit, distances);
}

#endif

}  // namespace

BlockFunctions block_functions(Level level) {
    if (!supported(level)) throw std::invalid_argument("this processor lacks the instructions");
#ifdef HEADWATER_X86
    if (level == Level::avx512 && has_vnni()) return {in_order_vnni, of_rows_vnni};
    if (level != Level::baseline) return functions_by<byte_sums_avx2>;
#endif
    return functions_by<sum_each<byte_sum>>;
}

}  // namespace headwater
