// Numbers of JSON as float32: what float64 is nearest to the text, rounded again, as who parses to float64 has it.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace headwater {

// From 10^-63 to 10^63.
inline constexpr double powers_of_ten[] = {
    1e-63, 1e-62, 1e-61, 1e-60, 1e-59, 1e-58, 1e-57, 1e-56, 1e-55, 1e-54, 1e-53, 1e-52, 1e-51, 1e-50, 1e-49, 1e-48,
    1e-47, 1e-46, 1e-45, 1e-44, 1e-43, 1e-42, 1e-41, 1e-40, 1e-39, 1e-38, 1e-37, 1e-36, 1e-35, 1e-34, 1e-33, 1e-32,
    1e-31, 1e-30, 1e-29, 1e-28, 1e-27, 1e-26, 1e-25, 1e-24, 1e-23, 1e-22, 1e-21, 1e-20, 1e-19, 1e-18, 1e-17, 1e-16,
    1e-15, 1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9,  1e-8,  1e-7,  1e-6,  1e-5,  1e-4,  1e-3,  1e-2,  1e-1,  1e0,
    1e1,   1e2,   1e3,   1e4,   1e5,   1e6,   1e7,   1e8,   1e9,   1e10,  1e11,  1e12,  1e13,  1e14,  1e15,  1e16,
    1e17,  1e18,  1e19,  1e20,  1e21,  1e22,  1e23,  1e24,  1e25,  1e26,  1e27,  1e28,  1e29,  1e30,  1e31,  1e32,
    1e33,  1e34,  1e35,  1e36,  1e37,  1e38,  1e39,  1e40,  1e41,  1e42,  1e43,  1e44,  1e45,  1e46,  1e47,  1e48,
    1e49,  1e50,  1e51,  1e52,  1e53,  1e54,  1e55,  1e56,  1e57,  1e58,  1e59,  1e60,  1e61,  1e62,  1e63};
constexpr std::int64_t most_power = 63;
// Powers, and whole numbers, that float64 has exactly.
constexpr std::int64_t exact_power = 22;
constexpr std::uint64_t exact_whole = std::uint64_t{1} << 53;
// So many digits are below 2^64.
constexpr std::ptrdiff_t most_digits = 19;
inline constexpr std::uint64_t whole_powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};

// Appends digits to [value]; where they end.
inline const char* read_few_digits(const char* at, const char* end, std::uint64_t& value) {
    for (; at < end && *at >= '0' && *at <= '9'; ++at) value = value * 10 + static_cast<std::uint64_t>(*at - '0');
    return at;
}

// The same, eight at a time, and what is left of eight at once: how many there are is different from number to number,
// so that branching for each would take longest.
inline const char* read_digits(const char* at, const char* end, std::uint64_t& value) {
    constexpr std::uint64_t high = 0xF0F0F0F0F0F0F0F0, pairs = 0x000000FF000000FF;
    while (end - at >= 8) {
        std::uint64_t eight;
        std::memcpy(&eight, at, 8);
        const std::uint64_t others = ((eight & high) | (((eight + 0x0606060606060606) & high) >> 4)) ^ 0x3333333333333333;
        const int digits = others == 0 ? 8 : __builtin_ctzll(others) / 8;
        eight -= 0x3030303030303030;
        // The last digit belongs into the highest byte.
        if (digits < 8) eight = (eight << (8 * (7 - digits))) << 8;
        eight = eight * 10 + (eight >> 8);
        eight = ((eight & pairs) * 0x000F424000000064 + ((eight >> 16) & pairs) * 0x0000271000000001) >> 32;
        value = value * whole_powers[digits] + eight;
        at += digits;
        if (digits < 8) return at;
    }
    return read_few_digits(at, end, value);
}

// [whole] times 10^[exponent], above 0, as float32. False where that isn't certain, or no ordinary float32.
inline bool rounded(std::uint64_t whole, std::int64_t exponent, float& value) {
    if (exponent < -most_power || exponent > most_power || whole >> 63 != 0) return false;
    const auto nearest = static_cast<double>(static_cast<std::int64_t>(whole));
    double found = nearest * powers_of_ten[exponent + most_power];
    // After three roundings the right float64 is at most so many places away. It gives the same float32 unless there is
    // a middle between two of these among the places.
    constexpr std::int64_t places = 8, middle = std::int64_t{1} << 28;
    std::uint64_t bits;
    std::memcpy(&bits, &found, sizeof bits);
    const std::int64_t from = static_cast<std::int64_t>(bits & ((std::uint64_t{1} << 29) - 1)) - middle;
    if (from >= -places && from <= places) {
        if (whole > exact_whole || exponent < -exact_power || exponent > exact_power) return false;
        if (exponent < 0) found = nearest / powers_of_ten[most_power - exponent];
    }
    if (found < std::numeric_limits<float>::min() || found > std::numeric_limits<float>::max()) return false;
    value = static_cast<float>(found);
    return true;
}

// Goes past a number. False where there is none, or one that a more thorough reader has to look at.
inline bool read_number(const char*& begin, const char* end, float& value) {
    const char* at = begin;
    const bool negative = at < end && *at == '-';
    at += negative;
    const char* const first = at;
    std::uint64_t whole = 0;
    at = read_few_digits(at, end, whole);
    std::ptrdiff_t digits = at - first;
    if (digits == 0 || (digits > 1 && *first == '0')) return false;
    std::int64_t exponent = 0;
    bool is_whole = true;
    if (at < end && *at == '.') {
        const char* const point = ++at;
        at = read_digits(at, end, whole);
        if (at == point) return false;
        exponent = point - at;
        digits += at - point;
        is_whole = false;
    }
    if (digits > most_digits) {
        for (const char* zero = first; zero < at && (*zero == '0' || *zero == '.'); ++zero) digits -= *zero == '0';
        if (digits > most_digits) return false;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        ++at;
        const bool down = at < end && *at == '-';
        at += at < end && (*at == '-' || *at == '+');
        const char* const power = at;
        std::uint64_t tens = 0;
        at = read_few_digits(at, end, tens);
        if (at == power || at - power > 4) return false;
        exponent += down ? -static_cast<std::int64_t>(tens) : static_cast<std::int64_t>(tens);
        is_whole = false;
    }
    begin = at;
    if (whole == 0) {
        // There is no negative zero among whole numbers.
        value = negative && !is_whole ? -0.0F : 0.0F;
        return true;
    }
    if (!rounded(whole, exponent, value)) return false;
    value = std::copysign(value, negative ? -1.0F : 1.0F);
    return true;
}

}  // namespace headwater
