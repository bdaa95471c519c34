#include "quantized.hpp"

#include <algorithm>
#include <stdexcept>

#include "code_heads.hpp"
#include "code_sums.hpp"
#include "instructions.hpp"

namespace headwater {
namespace {

constexpr std::size_t group_head = 16;
constexpr std::size_t most_groups = 16;
constexpr std::size_t most_planes = 8;
constexpr std::size_t table_size = 256;

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

// Sums of whole numbers are the same whatever the instructions; what follows is apart from what is compiled for several
// sets of them.
float finished(float constant, const RowHead& row, float inner) {
    return constant + row.offset + row.scale * inner;
}

float weighed(float before, float by, std::int64_t sum) {
    return before + by * static_cast<float>(sum);
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

// The same as above, with the processor's own instruction for counting bits.
CODES_AVX2 Bits bits_avx2(const std::uint8_t* words, const std::uint8_t* weights, std::size_t count, std::size_t planes) {
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

// Whether each weight has an opposite: what sums do with one that hasn't depends on the instructions.
bool balanced(const void* query, std::size_t count) {
    const auto* weights = reinterpret_cast<const std::int8_t*>(bytes_at(query, query_head));
    bool found = true;
    for (std::size_t at = 0; at < count; ++at) found &= weights[at] != -128;
    return found;
}

}  // namespace

Distances coded_distances(Form form, Level level) {
    if (!supported(level)) throw std::invalid_argument("this processor lacks the instructions");
    if (form == Form::lookup) return of_each<of_lookup>;
#ifdef HEADWATER_X86
    if (form == Form::bytes && level == Level::avx512 && has_vnni()) return of_bytes<byte_sums_vnni>;
    if (level != Level::baseline) {
        if (form == Form::nibbles) return of_bytes<sum_each_avx2<nibble_sum_avx2>>;
        return form == Form::bytes ? of_bytes<byte_sums_avx2> : of_each<of_planes<bits_avx2>>;
    }
#endif
    if (form == Form::nibbles) return of_bytes<sum_each<nibble_sum_baseline>>;
    return form == Form::bytes ? of_bytes<sum_each<byte_sum>> : of_each<of_planes<bits_baseline>>;
}

bool fits(Form form, std::size_t width, const void* query, std::size_t length) {
    if (length < query_head) return false;
    if (form == Form::lookup) return length == query_head + sizeof(float) * table_size * width;
    if (width < row_head) return false;
    if (form == Form::bytes) return length == query_head + width - row_head && balanced(query, length - query_head);
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
