#include "rows_module.hpp"

#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

#include "arrays.hpp"

namespace py = pybind11;

namespace headwater {
namespace {

std::string_view bytes_at(const py::list& list, std::size_t at) {
    char* data;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(PyList_GET_ITEM(list.ptr(), static_cast<Py_ssize_t>(at)), &data, &size) != 0) {
        throw py::error_already_set();
    }
    return {data, static_cast<std::size_t>(size)};
}

// [size] bytes that are to be written, and where.
std::pair<py::bytes, char*> new_bytes(std::size_t size) {
    auto made = py::reinterpret_steal<py::bytes>(PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(size)));
    if (!made) throw py::error_already_set();
    return {made, PyBytes_AS_STRING(made.ptr())};
}

py::object row_of_each(const py::list& runs, const py::bytes& head, std::size_t at, std::size_t width) {
    const auto expected = static_cast<std::string_view>(head);
    const std::size_t start = at + expected.size();
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const std::string_view run = bytes_at(runs, i);
        if (run.size() < start || run.size() - start < width || run.substr(at, expected.size()) != expected) {
            return py::none();
        }
    }
    auto [rows, into] = new_bytes(runs.size() * width);
    for (std::size_t i = 0; i < runs.size(); ++i, into += width) {
        std::memcpy(into, bytes_at(runs, i).data() + start, width);
    }
    return rows;
}

py::list around_rows(const py::bytes& head, const py::bytes& rows, std::size_t width, const py::list& rests) {
    const auto begin = static_cast<std::string_view>(head), whole = static_cast<std::string_view>(rows);
    require(whole.size() == rests.size() * width, "there are as many rows as rests");
    py::list found(rests.size());
    for (std::size_t i = 0; i < rests.size(); ++i) {
        const std::string_view rest = bytes_at(rests, i);
        auto [run, into] = new_bytes(begin.size() + width + rest.size());
        std::memcpy(into, begin.data(), begin.size());
        std::memcpy(into + begin.size(), whole.data() + i * width, width);
        std::memcpy(into + begin.size() + width, rest.data(), rest.size());
        found[i] = std::move(run);
    }
    return found;
}

}  // namespace

void define_rows(py::module_& module) {
    module.def("row_of_each", &row_of_each, py::arg("runs"), py::arg("head"), py::arg("at"), py::arg("width"));
    module.def("around_rows", &around_rows, py::arg("head"), py::arg("rows"), py::arg("width"), py::arg("rests"));
}

}  // namespace headwater
