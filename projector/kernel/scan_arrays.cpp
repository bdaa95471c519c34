#include "scan_arrays.hpp"

#include "arrays.hpp"

namespace py = pybind11;

namespace headwater {

Measure measure_named(const std::string& name) {
    if (name == "cosine") return Measure::cosine;
    if (name == "dot") return Measure::dot;
    if (name == "euclid") return Measure::euclid;
    require(name == "manhattan", "no such measure");
    return Measure::manhattan;
}

Matrix matrix_of(const py::array& vectors) {
    require_matrix(vectors);
    Matrix matrix;
    matrix.data = static_cast<const std::uint8_t*>(vectors.data());
    matrix.size = static_cast<std::size_t>(vectors.shape(0));
    matrix.dim = static_cast<std::size_t>(vectors.shape(1));
    matrix.stride = static_cast<std::size_t>(vectors.strides(0));
    matrix.datatype = datatype_of(vectors);
    return matrix;
}

py::tuple answer(const std::vector<Scored>& found, bool higher) {
    I64 rows(static_cast<py::ssize_t>(found.size()));
    F32 scores(static_cast<py::ssize_t>(found.size()));
    std::int64_t* row = rows.mutable_data();
    float* score = scores.mutable_data();
    for (const Scored& one : found) {
        *row++ = one.row;
        *score++ = higher ? one.nearness : -one.nearness;
    }
    return py::make_tuple(rows, scores);
}

}  // namespace headwater
