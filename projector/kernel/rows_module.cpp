#include "rows_module.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

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

py::bytes without_middle(const py::list& runs, std::size_t start, std::size_t stop) {
    require(start <= stop, "what is left out begins before it ends");
    std::size_t size = 0;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const std::size_t length = bytes_at(runs, i).size();
        require(length >= stop, "each run has what is left out of it");
        size += length - (stop - start);
    }
    auto [joined, into] = new_bytes(size);
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const std::string_view run = bytes_at(runs, i);
        into = std::copy_n(run.data(), start, into);
        into = std::copy(run.begin() + static_cast<std::ptrdiff_t>(stop), run.end(), into);
    }
    return joined;
}

// What is put into runs: of each the row at its place, [width] bytes, behind a head.
struct Column {
    std::string_view head;
    const char* rows;
    std::size_t stride, width;
    const std::int64_t* places;
    std::int64_t count;
};

std::vector<Column> columns_of(const py::list& heads, const py::list& matrices, const std::vector<I64>& places,
                               std::size_t runs) {
    require(heads.size() == matrices.size() && places.size() == matrices.size(), "each matrix has a head, and places");
    std::vector<Column> columns;
    for (std::size_t at = 0; at < matrices.size(); ++at) {
        const auto rows = py::cast<py::array>(matrices[at]);
        require_matrix(rows);
        require(places[at].ndim() == 1 && static_cast<std::size_t>(places[at].size()) == runs, "each run has places");
        columns.push_back({bytes_at(heads, at), static_cast<const char*>(rows.data()),
                           static_cast<std::size_t>(rows.strides(0)),
                           static_cast<std::size_t>(rows.shape(1) * rows.itemsize()), places[at].data(),
                           rows.shape(0)});
    }
    return columns;
}

py::bytes with_rows(const py::bytes& joined, const I64& lengths, const Mask& chosen, std::size_t at,
                    const py::bytes& head, const py::list& heads, const py::list& matrices,
                    const std::vector<I64>& places) {
    const auto whole = static_cast<std::string_view>(joined), first = static_cast<std::string_view>(head);
    require(lengths.ndim() == 1 && chosen.ndim() == 1 && lengths.size() == chosen.size(), "each run has a length");
    const auto runs = static_cast<std::size_t>(lengths.size());
    const auto columns = columns_of(heads, matrices, places, runs);
    std::size_t added = first.size();
    for (const Column& column : columns) added += column.head.size() + column.width;
    std::size_t left = whole.size(), size = whole.size();
    for (std::size_t i = 0; i < runs; ++i) {
        const std::int64_t length = lengths.data()[i];
        require(length >= 0 && static_cast<std::size_t>(length) <= left, "runs are as long as all of them together");
        left -= static_cast<std::size_t>(length);
        if (!chosen.data()[i]) continue;
        require(static_cast<std::size_t>(length) >= at, "runs that are chosen go on to where rows are put in");
        for (const Column& column : columns) {
            require(column.places[i] >= 0 && column.places[i] < column.count, "places are those of rows");
        }
        size += added;
    }
    require(left == 0, "runs are as long as all of them together");
    auto [result, into] = new_bytes(size);
    const char* from = whole.data();
    for (std::size_t i = 0; i < runs; ++i) {
        const char* end = from + lengths.data()[i];
        if (chosen.data()[i]) {
            into = std::copy_n(from, at, into);
            from += at;
            into = std::copy(first.begin(), first.end(), into);
            for (const Column& column : columns) {
                into = std::copy(column.head.begin(), column.head.end(), into);
                const auto place = static_cast<std::size_t>(column.places[i]);
                into = std::copy_n(column.rows + place * column.stride, column.width, into);
            }
        }
        into = std::copy(from, end, into);
        from = end;
    }
    return result;
}

}  // namespace

void define_rows(py::module_& module) {
    module.def("row_of_each", &row_of_each, py::arg("runs"), py::arg("head"), py::arg("at"), py::arg("width"));
    module.def("around_rows", &around_rows, py::arg("head"), py::arg("rows"), py::arg("width"), py::arg("rests"));
    module.def("without_middle", &without_middle, py::arg("runs"), py::arg("start"), py::arg("stop"));
    module.def("with_rows", &with_rows, py::arg("joined"), py::arg("lengths"), py::arg("chosen"), py::arg("at"),
               py::arg("head"), py::arg("heads"), py::arg("matrices"), py::arg("places"));
}

}  // namespace headwater
