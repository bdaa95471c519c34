#include "quantized.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "instructions.hpp"

namespace headwater {
namespace {

constexpr std::size_t row_head = 8;
constexpr std::size_t query_head = 16;
constexpr std::size_t group_head = 16;
constexpr std::size_t most_groups = 16;
constexpr std::size_t most_planes = 8;
constexpr std::size_t table_size = 256;

struct RowHead {
    float scale;
    float offset;
};

struct BytesHead {
    float constant;
    float inner;
    float factor;
    std::uint32_t unused;
};

struct PlanesHead {
    float constant;
    float inner;
    std::uint32_t groups;
    std::uint32_t planes;
};

struct Group {
    std::uint32_t words;
    float low;
    float step;
    std::uint32_t unused;
};

template <class T>
T read(const void* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

const std::uint8_t* bytes_at(const void* from, std::size_t at) { return static_cast<const std::uint8_t*>(from) + at; }

// Sums of whole numbers are the same whatever the instructions; what follows is apart from what is compiled for several
// sets of them.
float finished(float constant, const RowHead& row, float inner) {
    return constant + row.offset + row.scale * inner;
}

float weighed(float before, float by, std::int64_t sum) {
    return before + by * static_cast<float>(sum);
}

using ByteSum = std::int32_t (*)(const std::uint8_t* codes, const std::int8_t* weights, std::size_t count);
// The sums of [rows], each of [count] bytes of codes.
using ByteSums = void (*)(const void* const* rows, std::size_t size, const std::int8_t* weights, std::size_t count,
                          std::int32_t* sums);

// A function for each set of instructions, so that [sum] becomes a part of it.
#define SUM_EACH(name, target)                                                                                \
    template <ByteSum sum>                                                                                    \
    target void name(const void* const* rows, std::size_t size, const std::int8_t* weights, std::size_t count, \
                     std::int32_t* sums) {                                                                    \
        for (std::size_t at = 0; at < size; ++at) sums[at] = sum(bytes_at(rows[at], row_head), weights, count); \
    }

SUM_EACH(sum_each, )

std::int32_t byte_sum(const std::uint8_t* codes, const std::int8_t* weights, std::size_t count) {
    std::int32_t sum = 0;
    for (std::size_t at = 0; at < count; ++at) sum += static_cast<std::int32_t>(codes[at]) * weights[at];
    return sum;
}

std::int32_t nibble_sum(const std::uint8_t* codes, const std::int8_t* weights, std::size_t count, std::size_t start) {
    std::int32_t sum = 0;
    for (std::size_t at = start; at < count; ++at)
        sum += (codes[at] & 15) * weights[at] + (codes[at] >> 4) * weights[count + at];
    return sum;
}

std::int32_t nibble_sum_baseline(const std::uint8_t* codes, const std::int8_t* weights, std::size_t count) {
    return nibble_sum(codes, weights, count, 0);
}

struct Bits {
    std::int64_t set;      // how many are
    std::int64_t weights;  // of those that are, together
};

template <std::size_t planes>
__attribute__((always_inline)) inline Bits bits_of(const std::uint8_t* words, const std::uint8_t* weights,
                                                   std::size_t count) {
    std::int64_t set = 0, sums[planes] = {};
    for (std::size_t at = 0; at < count; ++at) {
        const auto word = read<std::uint64_t>(words + 8 * at);
        set += __builtin_popcountll(word);
        for (std::size_t plane = 0; plane < planes; ++plane)
            sums[plane] += __builtin_popcountll(word & read<std::uint64_t>(weights + 8 * (at * planes + plane)));
    }
    Bits found{set, 0};
    for (std::size_t plane = 0; plane < planes; ++plane) found.weights += sums[plane] << plane;
    return found;
}

__attribute__((always_inline)) inline Bits any_bits(const std::uint8_t* words, const std::uint8_t* weights,
                                                    std::size_t count, std::size_t planes) {
    switch (planes) {
        case 1:
            return bits_of<1>(words, weights, count);
        case 4:
            return bits_of<4>(words, weights, count);
        case 8:
            return bits_of<8>(words, weights, count);
        default:
            break;
    }
    Bits found{0, 0};
    for (std::size_t at = 0; at < count; ++at) {
        const auto word = read<std::uint64_t>(words + 8 * at);
        found.set += __builtin_popcountll(word);
        for (std::size_t plane = 0; plane < planes; ++plane) {
            const auto weight = read<std::uint64_t>(weights + 8 * (at * planes + plane));
            found.weights += static_cast<std::int64_t>(__builtin_popcountll(word & weight)) << plane;
        }
    }
    return found;
}

Bits bits_baseline(const std::uint8_t* words, const std::uint8_t* weights, std::size_t count, std::size_t planes) {
    return any_bits(words, weights, count, planes);
}

#ifdef HEADWATER_X86

#define AVX2 __attribute__((target("avx2,fma,popcnt,bmi,bmi2")))
#define VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,popcnt")))

SUM_EACH(sum_each_avx2, AVX2)

AVX2 inline std::int32_t total(__m256i sums) {
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0xb1));
    return _mm_cvtsi128_si32(four);
}

AVX2 inline __m256i add16(__m256i sums, const std::uint8_t* codes, const std::int8_t* weights) {
    const __m256i code = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes)));
    const __m256i weight = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(weights)));
    return _mm256_add_epi32(sums, _mm256_madd_epi16(code, weight));
}

AVX2 std::int32_t byte_sum_avx2(const std::uint8_t* codes, const std::int8_t* weights, std::size_t count) {
    __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
    std::size_t at = 0;
    for (; at + 64 <= count; at += 64) {
        a = add16(a, codes + at, weights + at);
        b = add16(b, codes + at + 16, weights + at + 16);
        c = add16(c, codes + at + 32, weights + at + 32);
        d = add16(d, codes + at + 48, weights + at + 48);
    }
    for (; at + 16 <= count; at += 16) a = add16(a, codes + at, weights + at);
    const std::int32_t sum = total(_mm256_add_epi32(_mm256_add_epi32(a, b), _mm256_add_epi32(c, d)));
    return sum + byte_sum(codes + at, weights + at, count - at);
}

template <std::size_t some>
VNNI inline void add_vnni(const void* const* rows, const std::int8_t* weights, std::size_t count, std::int32_t* sums) {
    __m512i total[some];
    for (__m512i& one : total) one = _mm512_setzero_si512();
    for (std::size_t at = 0; at < count; at += 64) {
        const std::size_t left = count - at;
        const __mmask64 chosen = left >= 64 ? ~__mmask64{0} : (__mmask64{1} << left) - 1;
        const __m512i weight = _mm512_maskz_loadu_epi8(chosen, weights + at);
        for (std::size_t row = 0; row < some; ++row) {
            const __m512i code = _mm512_maskz_loadu_epi8(chosen, bytes_at(rows[row], row_head + at));
            total[row] = _mm512_dpbusd_epi32(total[row], code, weight);
        }
    }
    for (std::size_t row = 0; row < some; ++row) sums[row] = _mm512_reduce_add_epi32(total[row]);
}

VNNI void byte_sums_vnni(const void* const* rows, std::size_t size, const std::int8_t* weights, std::size_t count,
                         std::int32_t* sums) {
    constexpr std::size_t beside = 4;
    std::size_t at = 0;
    for (; at + beside <= size; at += beside) add_vnni<beside>(rows + at, weights, count, sums + at);
    for (; at < size; ++at) add_vnni<1>(rows + at, weights, count, sums + at);
}

AVX2 std::int32_t nibble_sum_avx2(const std::uint8_t* codes, const std::int8_t* weights, std::size_t count) {
    const __m256i low = _mm256_set1_epi8(15), ones = _mm256_set1_epi16(1);
    __m256i sums = _mm256_setzero_si256();
    std::size_t at = 0;
    for (; at + 32 <= count; at += 32) {
        const __m256i code = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes + at));
        const __m256i first = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights + at));
        const __m256i second = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights + count + at));
        const __m256i high = _mm256_and_si256(_mm256_srli_epi16(code, 4), low);
        // A pair of products of each half is at most 2 * 15 * 128.
        const __m256i pairs = _mm256_add_epi16(_mm256_maddubs_epi16(_mm256_and_si256(code, low), first),
                                               _mm256_maddubs_epi16(high, second));
        sums = _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, ones));
    }
    return total(sums) + nibble_sum(codes, weights, count, at);
}

// The same as above, with the processor's own instruction for counting bits.
AVX2 Bits bits_avx2(const std::uint8_t* words, const std::uint8_t* weights, std::size_t count, std::size_t planes) {
    return any_bits(words, weights, count, planes);
}

#endif

template <ByteSums sums>
void of_bytes(const void* const* rows, std::size_t count, const void* query, std::size_t width, float* out) {
    constexpr std::size_t some = 32;
    const auto head = read<BytesHead>(query);
    const auto* weights = reinterpret_cast<const std::int8_t*>(bytes_at(query, query_head));
    std::int32_t found[some];
    for (std::size_t from = 0; from < count; from += some) {
        const std::size_t size = std::min(some, count - from);
        sums(rows + from, size, weights, width - row_head, found);
        for (std::size_t at = 0; at < size; ++at)
            out[from + at] = finished(head.constant, read<RowHead>(rows[from + at]),
                                      weighed(head.inner, head.factor, found[at]));
    }
}

using BitSum = Bits (*)(const std::uint8_t* words, const std::uint8_t* weights, std::size_t count, std::size_t planes);

template <BitSum bits>
float of_planes(const void* row, const void* query, std::size_t) {
    const auto head = read<PlanesHead>(query);
    const std::uint8_t* words = bytes_at(row, row_head);
    const std::uint8_t* weights = bytes_at(query, query_head + group_head * head.groups);
    float inner = head.inner;
    for (std::size_t at = 0; at < head.groups; ++at) {
        const auto group = read<Group>(bytes_at(query, query_head + group_head * at));
        const Bits found = bits(words, weights, group.words, head.planes);
        inner = weighed(weighed(inner, group.low, found.set), group.step, found.weights);
        words += 8 * group.words;
        weights += 8 * head.planes * group.words;
    }
    return finished(head.constant, read<RowHead>(row), inner);
}

float of_lookup(const void* row, const void* query, std::size_t width) {
    constexpr std::size_t lanes = 4;  // sums apart from each other, so that one addition need not wait for another
    const auto* codes = static_cast<const std::uint8_t*>(row);
    const std::uint8_t* table = bytes_at(query, query_head);
    float sums[lanes] = {read<float>(query)};
    std::size_t at = 0;
    for (; at + lanes <= width; at += lanes)
        for (std::size_t lane = 0; lane < lanes; ++lane)
            sums[lane] += read<float>(table + 4 * (table_size * (at + lane) + codes[at + lane]));
    for (; at < width; ++at) sums[0] += read<float>(table + 4 * (table_size * at + codes[at]));
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

template <float (*distance)(const void* row, const void* query, std::size_t width)>
void of_each(const void* const* rows, std::size_t count, const void* query, std::size_t width, float* out) {
    for (std::size_t at = 0; at < count; ++at) out[at] = distance(rows[at], query, width);
}

#ifdef HEADWATER_X86
bool has_vnni() {
    __builtin_cpu_init();
    return supported(Level::avx512) && __builtin_cpu_supports("avx512vnni");
}
#endif

}  // namespace

Distances coded_distances(Form form, Level level) {
    if (!supported(level)) throw std::invalid_argument("this processor lacks the instructions");
    if (form == Form::lookup) return of_each<of_lookup>;
#ifdef HEADWATER_X86
    if (form == Form::bytes && level == Level::avx512 && has_vnni()) return of_bytes<byte_sums_vnni>;
    if (level != Level::baseline) {
        if (form == Form::nibbles) return of_bytes<sum_each_avx2<nibble_sum_avx2>>;
        return form == Form::bytes ? of_bytes<sum_each_avx2<byte_sum_avx2>> : of_each<of_planes<bits_avx2>>;
    }
#endif
    if (form == Form::nibbles) return of_bytes<sum_each<nibble_sum_baseline>>;
    return form == Form::bytes ? of_bytes<sum_each<byte_sum>> : of_each<of_planes<bits_baseline>>;
}

bool fits(Form form, std::size_t width, const void* query, std::size_t length) {
    if (length < query_head) return false;
    if (form == Form::lookup) return length == query_head + sizeof(float) * table_size * width;
    if (width < row_head) return false;
    if (form == Form::bytes) return length == query_head + width - row_head;
    if (form == Form::nibbles) return length == query_head + 2 * (width - row_head);
    const auto head = read<PlanesHead>(query);
    if (head.groups > most_groups || head.planes == 0 || head.planes > most_planes) return false;
    if (length < query_head + group_head * head.groups) return false;
    std::size_t words = 0;
    for (std::size_t at = 0; at < head.groups; ++at)
        words += read<Group>(bytes_at(query, query_head + group_head * at)).words;
    return width == row_head + 8 * words && length == query_head + group_head * head.groups + 8 * head.planes * words;
}

}  // namespace headwater
