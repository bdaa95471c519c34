// What Python sees of the kernel for making codes; see _kernel.pyi. What computes holds no interpreter lock.
#include "quantized_module.hpp"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <cstdint>

#include "arrays.hpp"
#include "product.hpp"
#include "rotation.hpp"

namespace py = pybind11;

namespace headwater {
namespace {

std::size_t length(const py::array& array, int dimension) { return static_cast<std::size_t>(array.shape(dimension)); }

F32 rotated(const F32& rows, const F32& signs) {
    require(rows.ndim() == 2 && signs.ndim() == 2 && rows.shape(1) == signs.shape(1), "each value has a sign");
    F32 found({rows.shape(0), rows.shape(1)});
    const float* from = rows.data();
    const float* all_signs = signs.data();
    float* to = found.mutable_data();
    const std::size_t count = length(rows, 0), dim = length(rows, 1), rounds = length(signs, 0);
    {
        const py::gil_scoped_release released;
        std::copy(from, from + count * dim, to);
        for (std::size_t row = 0; row < count; ++row) rotate(to + row * dim, all_signs, dim, rounds);
    }
    return found;
}

Codebook codebook_of(const F32& values) {
    require(values.ndim() == 3 && length(values, 2) == centroids, "a codebook has 256 centroids for each chunk");
    return {values.data(), length(values, 0), length(values, 1)};
}

U8 product_codes(const F32& rows, const F32& values) {
    const Codebook codebook = codebook_of(values);
    const std::size_t dim = codebook.chunks * codebook.width;
    require(rows.ndim() == 2 && length(rows, 1) == dim, "rows are as long as all chunks together");
    U8 found({rows.shape(0), static_cast<py::ssize_t>(codebook.chunks)});
    const float* from = rows.data();
    std::uint8_t* to = found.mutable_data();
    const std::size_t count = length(rows, 0);
    {
        const py::gil_scoped_release released;
        for (std::size_t row = 0; row < count; ++row)
            nearest_centroids(codebook, from + row * dim, to + row * codebook.chunks);
    }
    return found;
}

F32 product_table(const F32& query, const F32& values, bool squared) {
    const Codebook codebook = codebook_of(values);
    require(query.ndim() == 1 && length(query, 0) == codebook.chunks * codebook.width,
            "a query is as long as all chunks together");
    F32 found({static_cast<py::ssize_t>(codebook.chunks), static_cast<py::ssize_t>(centroids)});
    const float* from = query.data();
    float* to = found.mutable_data();
    {
        const py::gil_scoped_release released;
        centroid_table(codebook, from, squared, to);
    }
    return found;
}

}  // namespace

void define_quantization(py::module_& module) {
    module.def("rotated", &rotated, py::arg("rows"), py::arg("signs"));
    module.def("product_codes", &product_codes, py::arg("rows"), py::arg("codebook"));
    module.def("product_table", &product_table, py::arg("query"), py::arg("codebook"), py::arg("squared"));
}

}  // namespace headwater
