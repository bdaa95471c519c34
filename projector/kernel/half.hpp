// float16, IEEE 754 binary16, where a processor has no instructions for it.
#pragma once

#include <cstdint>
#include <cstring>

namespace headwater {

struct Half {
    std::uint16_t bits;
};

inline float widen(float value) { return value; }
inline float widen(std::uint8_t value) { return static_cast<float>(value); }

// To binary32: the exponent is moved by multiplying, which makes subnormal numbers right as well.
inline float widen(Half value) {
    const std::uint32_t sign = static_cast<std::uint32_t>(value.bits & 0x8000u) << 16;
    std::uint32_t bits = static_cast<std::uint32_t>(value.bits & 0x7fffu) << 13;
    float number;
    std::memcpy(&number, &bits, sizeof number);
    number *= 0x1p112f;
    std::memcpy(&bits, &number, sizeof number);
    if ((value.bits & 0x7c00u) == 0x7c00u) bits = 0x7f800000u | (static_cast<std::uint32_t>(value.bits & 0x3ffu) << 13);
    bits |= sign;
    std::memcpy(&number, &bits, sizeof number);
    return number;
}

}  // namespace headwater
