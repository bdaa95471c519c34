#include "rotation.hpp"

#include <cmath>

namespace headwater {
namespace {

void transform(float* values, std::size_t size) {
    for (std::size_t half = 1; half < size; half *= 2) {
        for (std::size_t start = 0; start < size; start += 2 * half) {
            float* left = values + start;
            float* right = left + half;
            for (std::size_t at = 0; at < half; ++at) {
                const float sum = left[at] + right[at];
                right[at] = left[at] - right[at];
                left[at] = sum;
            }
        }
    }
    const float scale = 1.0f / std::sqrt(static_cast<float>(size));
    for (std::size_t at = 0; at < size; ++at) values[at] *= scale;
}

}  // namespace

void rotate(float* values, const float* signs, std::size_t dim, std::size_t rounds) {
    if (dim == 0) return;
    std::size_t size = 1;
    while (2 * size <= dim) size *= 2;
    for (std::size_t round = 0; round < rounds; ++round) {
        for (std::size_t at = 0; at < dim; ++at) values[at] *= signs[round * dim + at];
        transform(round % 2 == 0 ? values : values + dim - size, size);
    }
}

}  // namespace headwater
