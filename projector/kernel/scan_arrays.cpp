#include "scan_arrays.hpp"

#include <limits>

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

ChosenRows::ChosenRows(const Which& which, std::size_t size) {
    require(size < std::numeric_limits<std::uint32_t>::max(), "too many rows");
    chosen.size = size;
    if (!which) return;
    require(which->ndim() == 1, "rows are a list or a mask");
    if (which->dtype().kind() == 'b') {
        const auto mask = Mask::ensure(*which);
        require(static_cast<std::size_t>(mask.shape(0)) == size, "a mask has a value for each row");
        chosen.by = Chosen::By::mask;
        chosen.mask = mask.data();
        held_ = mask;
    } else {
        const auto list = I64::ensure(*which);
        require(static_cast<bool>(list), "rows are integers");
        chosen.by = Chosen::By::list;
        chosen.list = list.data();
        chosen.listed = static_cast<std::size_t>(list.shape(0));
        held_ = list;
        for (std::size_t at = 0; at < chosen.listed; ++at)
            if (chosen.list[at] < 0 || static_cast<std::size_t>(chosen.list[at]) >= size)
                throw py::index_error("there is no such row");
    }
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
