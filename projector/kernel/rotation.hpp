// A rotation that mixes all values of a vector: signs and Hadamard transforms in turn.
#pragma once

#include <cstddef>

namespace headwater {

// Rotate [values], float [dim], in place. [signs], 1 or -1, [rounds][dim]: those of each round, after which the largest
// power of two of values is transformed, at the beginning in even rounds and at the end in odd ones.
void rotate(float* values, const float* signs, std::size_t dim, std::size_t rounds);

}  // namespace headwater
