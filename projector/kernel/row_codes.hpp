// A row's search codes: a byte a value, as the form "bytes" has it (quantized.hpp), counted from a centre on.
#pragma once

#include <cstddef>
#include <cstdint>

#include "distance.hpp"

namespace headwater {

constexpr int most_code = 127;           // and as many below nothing
constexpr int middle_code = 128;         // stands for nothing
constexpr double smallest_size = 1e-30;  // what is below counts as nothing

// Of many rows, each the largest: how far one is from what its codes stand for, the length of that, and a scale.
struct CodeSizes {
    double error = 0.0;
    double length = 0.0;
    double scale = 0.0;
};

// [out]: of [count] rows, float32 [dim], the codes, the same whatever the instructions. [sizes] grow to theirs. Values
// are at most 1e15 in size. Throws std::invalid_argument for instructions that the processor lacks.
void encode(const float* rows, std::size_t count, std::size_t dim, const float* centre, bool squared, Level level,
            std::uint8_t* out, CodeSizes& sizes);

}  // namespace headwater
