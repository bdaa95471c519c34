// Included by exact.cpp through every_level.hpp, which tells what LANES_TARGET and the like are.
// Whatever that is, sums are of the same numbers in the same order.

#include "double_lanes.hpp"

// Of the [at]-th numbers of a row and a query.
LANES_TARGET inline Doubles product(const double* row, const double* query, std::size_t at) {
    return LANES_AT(row + at) * LANES_AT(query + at);
}

LANES_TARGET inline Doubles square(const double* row, const double* query, std::size_t at) {
    const Doubles difference = LANES_AT(row + at) - LANES_AT(query + at);
    Doubles squared = difference * difference;
    ROUNDED(squared);
    return squared;
}

LANES_TARGET inline Doubles absolute(const double* row, const double* query, std::size_t at) {
    constexpr std::int64_t without_sign = 0x7fffffffffffffff;
    const Doubles difference = LANES_AT(row + at) - LANES_AT(query + at);
    return reinterpret_cast<Doubles>(reinterpret_cast<Bits>(difference) & without_sign);
}

#define LANES_SUM(name, term)                                                                \
    LANES_TARGET double name(const double* row, const double* query, std::size_t filled) {   \
        Doubles sums[registers];                                                             \
        for (std::size_t r = 0; r < registers; ++r) sums[r] = term(row, query, r * width);   \
        for (std::size_t at = exact_lanes; at < filled; at += exact_lanes)                   \
            for (std::size_t r = 0; r < registers; ++r) sums[r] += term(row, query, at + r * width); \
        return together(sums);                                                               \
    }

LANES_SUM(dots, product)
LANES_SUM(squares, square)
LANES_SUM(absolutes, absolute)
#undef LANES_SUM

LANES_TARGET void widen_floats(const void* row, std::size_t dim, double* out) {
    const auto* values = static_cast<const float*>(row);
    for (std::size_t at = 0; at < dim; ++at) out[at] = values[at];
}

LANES_TARGET void widen_bytes(const void* row, std::size_t dim, double* out) {
    const auto* values = static_cast<const std::uint8_t*>(row);
    for (std::size_t at = 0; at < dim; ++at) out[at] = values[at];
}

LANES_TARGET void widen_halves(const void* row, std::size_t dim, double* out) {
    const auto* values = static_cast<const Half*>(row);
    std::size_t at = 0;
#ifdef LANES_HALVES
    for (; at + 8 <= dim; at += 8) {
        float wide[8];
        _mm256_storeu_ps(wide, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(values + at))));
        for (std::size_t lane = 0; lane < 8; ++lane) out[at + lane] = wide[lane];
    }
#endif
    for (; at < dim; ++at) out[at] = widen(values[at]);
}

const Functions functions{{widen_floats, widen_halves, widen_bytes}, dots, squares, absolutes};

#undef LANES_AT
