// Included by row_codes.cpp through every_level.hpp, which tells what LANES_TARGET and the like are.
// Whatever that is, numbers are rounded alike and sums are of the same numbers in the same order.

#include "double_lanes.hpp"

LANES_TARGET double centred(const float* row, const float* centre, std::size_t dim, double* values,
                            std::size_t filled) {
    constexpr std::int64_t without_sign = 0x7fffffffffffffff;
    for (std::size_t at = 0; at < dim; ++at) values[at] = static_cast<double>(row[at]) - centre[at];
    Doubles most[registers] = {};
    for (std::size_t at = 0; at < filled; at += exact_lanes)
        for (std::size_t r = 0; r < registers; ++r) {
            const Bits bits = *reinterpret_cast<const Bits*>(values + at + r * width) & without_sign;
            const Doubles size = reinterpret_cast<Doubles>(bits);
            most[r] = size > most[r] ? size : most[r];
        }
    double lanes[exact_lanes];
    std::memcpy(lanes, most, sizeof lanes);
    return *std::max_element(lanes, lanes + exact_lanes);
}

LANES_TARGET Squares encoded(const double* values, std::size_t filled, double scale, std::size_t dim,
                             std::uint64_t* wide, std::uint8_t* codes) {
    // What is added to this is rounded to a whole number, half ones to even ones, and that is what the lowest bits are.
    // No code is larger than [most_code]: the scale is rounded by far less than half a code.
    constexpr double rounding = 0x1.8p52 + middle_code;
    const double inverse = 1.0 / scale;
    Doubles errors[registers] = {}, lengths[registers] = {};
    for (std::size_t at = 0; at < filled; at += exact_lanes)
        for (std::size_t r = 0; r < registers; ++r) {
            const Doubles value = LANES_AT(values + at + r * width);
            Doubles scaled = value * inverse;
            ROUNDED(scaled);
            Doubles code = scaled + rounding;
            *reinterpret_cast<Doubles*>(wide + at + r * width) = code;
            ROUNDED(code);
            Doubles meant = (code - rounding) * scale;
            ROUNDED(meant);
            const Doubles left = value - meant;
            Doubles error = left * left, length = meant * meant;
            ROUNDED(error);
            ROUNDED(length);
            errors[r] += error;
            lengths[r] += length;
        }
    for (std::size_t at = 0; at < dim; ++at) codes[at] = static_cast<std::uint8_t>(wide[at]);
    return {together(errors), together(lengths)};
}

const Functions functions{centred, encoded};

#undef LANES_AT
