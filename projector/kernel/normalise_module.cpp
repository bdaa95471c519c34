#include "normalise_module.hpp"

#include <pybind11/numpy.h>

#include <cmath>
#include <cstddef>
#include <vector>

#include "arrays.hpp"

namespace py = pybind11;

namespace headwater {
namespace {

constexpr double tolerance = 1e-6;  // schemas.vectors.normalise.UNIT_TOLERANCE

// The sum of squares, in eight sums side by side: one waits for the addition before it.
double squares_of(const float* values, std::size_t dim) {
    constexpr std::size_t lanes = 8;
    double sums[lanes] = {};
    std::size_t at = 0;
    for (; at + lanes <= dim; at += lanes) {
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            const double value = values[at + lane];
            sums[lane] += value * value;
        }
    }
    for (; at < dim; ++at) sums[0] += static_cast<double>(values[at]) * values[at];
    for (std::size_t half = lanes / 2; half > 0; half /= 2) {
        for (std::size_t lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
    }
    return sums[0];
}

// One vector, or the rows of a matrix, of length one; [vectors] itself where that is one of length one already, or zero.
F32 normalised(const F32& vectors) {
    require(vectors.ndim() == 1 || vectors.ndim() == 2, "vectors have one dimension, or two with others");
    const auto dim = static_cast<std::size_t>(vectors.shape(vectors.ndim() - 1));
    const std::size_t rows = vectors.ndim() == 1 ? 1 : static_cast<std::size_t>(vectors.shape(0));
    F32 units(std::vector<py::ssize_t>(vectors.shape(), vectors.shape() + vectors.ndim()));
    const float* values = vectors.data();
    float* out = units.mutable_data();
    for (std::size_t row = 0; row < rows; ++row, values += dim, out += dim) {
        const double squares = squares_of(values, dim);
        const bool stays = squares == 0.0 || std::abs(squares - 1.0) <= tolerance;
        if (stays && vectors.ndim() == 1) return vectors;
        const double length = stays ? 1.0 : std::sqrt(squares);
        for (std::size_t at = 0; at < dim; ++at) out[at] = static_cast<float>(values[at] / length);
    }
    return units;
}

}  // namespace

void define_normalising(py::module_& module) { module.def("normalised", &normalised, py::arg("vectors")); }

}  // namespace headwater
