// What Python sees of the parser; see _parser.pyi. The interpreter lock is held for short bodies only.
#include <pybind11/pybind11.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "points.hpp"

namespace py = pybind11;

namespace headwater {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "vectors are little endian");

// To give up the interpreter lock, and to wait for it, may take longer than to read so many bytes.
constexpr std::size_t short_size = 64 << 10;

py::bytes bytes_of(std::string_view text) { return {text.data(), text.size()}; }

py::object points_of(const py::bytes& body, std::size_t dim) {
    if (dim == 0) throw py::value_error("vectors have at least one number");
    const auto text = static_cast<std::string_view>(body);
    std::optional<ReadPoints> read;
    {
        std::optional<py::gil_scoped_release> released;
        if (text.size() > short_size) released.emplace();
        read = read_points(text, dim);
    }
    if (!read) return py::none();
    py::list ids(read->ids.size()), payloads(read->payloads.size());
    for (std::size_t i = 0; i < read->ids.size(); ++i) {
        const ReadId& id = read->ids[i];
        ids[i] = id.text ? py::object(py::str(id.text->data(), id.text->size())) : py::object(py::int_(id.number));
        payloads[i] = bytes_of(read->payloads[i]);
    }
    const auto* numbers = reinterpret_cast<const char*>(read->vectors.data());
    return py::make_tuple(ids, bytes_of({numbers, read->vectors.size() * sizeof(float)}), payloads);
}

}  // namespace
}  // namespace headwater

PYBIND11_MODULE(_parser, module) {
    module.def("points_of", &headwater::points_of, py::arg("body"), py::arg("dim"));
}
