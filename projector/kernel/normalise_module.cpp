#include "normalise_module.hpp"

#include <pybind11/numpy.h>

#include <cmath>
#include <cstddef>

#include "arrays.hpp"

namespace py = pybind11;

namespace headwater {
namespace {

constexpr double tolerance = 1e-6;  // schemas.vectors.normalise.UNIT_TOLERANCE

// One vector of length one; [vector] itself where it is of length one already, or zero.
F32 normalised(const F32& vector) {
    require(vector.ndim() == 1, "a vector has one dimension");
    const float* values = vector.data();
    const auto dim = static_cast<std::size_t>(vector.shape(0));
    double squares = 0.0;
    for (std::size_t at = 0; at < dim; ++at) squares += static_cast<double>(values[at]) * values[at];
    if (squares == 0.0 || std::abs(squares - 1.0) <= tolerance) return vector;
    F32 unit(vector.shape(0));
    float* out = unit.mutable_data();
    const double length = std::sqrt(squares);
    for (std::size_t at = 0; at < dim; ++at) out[at] = static_cast<float>(values[at] / length);
    return unit;
}

}  // namespace

void define_normalising(py::module_& module) { module.def("normalised", &normalised, py::arg("vector")); }

}  // namespace headwater
