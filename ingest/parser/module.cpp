// What Python sees of the parser; see _parser.pyi. The interpreter lock is held for short bodies only.
#include <pybind11/pybind11.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "payloads.hpp"
#include "points.hpp"

namespace py = pybind11;

namespace headwater {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "vectors are little endian");

// To give up the interpreter lock, and to wait for it, may take longer than to read so many bytes.
constexpr std::size_t short_size = 64 << 10;

using Released = std::optional<py::gil_scoped_release>;

void release_for(std::string_view text, Released& released) {
    if (text.size() > short_size) released.emplace();
}

void require_dim(std::size_t dim) {
    if (dim == 0) throw py::value_error("vectors have at least one number");
}

py::bytes bytes_of(std::string_view text) { return {text.data(), text.size()}; }

py::bytes bytes_of(const std::vector<float>& numbers) {
    return bytes_of({reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float)});
}

py::object points_of(const py::bytes& body, std::size_t dim) {
    require_dim(dim);
    const auto text = static_cast<std::string_view>(body);
    std::optional<ReadPoints> read;
    {
        Released released;
        release_for(text, released);
        read = read_points(text, dim);
    }
    if (!read) return py::none();
    py::list ids(read->ids.size()), payloads(read->payloads.size());
    for (std::size_t i = 0; i < read->ids.size(); ++i) {
        const ReadId& id = read->ids[i];
        ids[i] = id.text ? py::object(py::str(id.text->data(), id.text->size())) : py::object(py::int_(id.number));
        const std::string_view payload = read->payloads[i];
        payloads[i] = bytes_of(payload == "{}" || payload == "null" ? std::string_view() : payload);
    }
    return py::make_tuple(ids, bytes_of(read->vectors), payloads);
}

py::object vectors_of(const py::bytes& array, std::size_t dim) {
    require_dim(dim);
    const auto text = static_cast<std::string_view>(array);
    std::vector<float> numbers;
    bool good;
    {
        Released released;
        release_for(text, released);
        good = read_vectors(text, dim, numbers);
    }
    return good ? py::object(bytes_of(numbers)) : py::none();
}

// Held by the interpreter's lock: a vector is a short text.
py::list each_vector_of(const py::sequence& texts, std::size_t dim) {
    require_dim(dim);
    std::vector<float> numbers(dim);
    py::list found(texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const auto text = py::buffer(texts[i]).request();
        const std::string_view view(static_cast<const char*>(text.ptr), static_cast<std::size_t>(text.size * text.itemsize));
        if (read_vector(view, numbers.data(), dim)) {
            found[i] = bytes_of(numbers);
        } else {
            found[i] = py::none();
        }
    }
    return found;
}

// Held by the interpreter's lock: to go over a payload takes less than to make an object of it.
py::list unplain_payloads(const py::list& payloads) {
    py::list found;
    for (std::size_t i = 0; i < payloads.size(); ++i) {
        char* data;
        Py_ssize_t size;
        if (PyBytes_AsStringAndSize(payloads[i].ptr(), &data, &size) != 0) throw py::error_already_set();
        if (size > 0 && !is_plain_object({data, static_cast<std::size_t>(size)})) found.append(i);
    }
    return found;
}

}  // namespace
}  // namespace headwater

PYBIND11_MODULE(_parser, module) {
    module.def("points_of", &headwater::points_of, py::arg("body"), py::arg("dim"));
    module.def("vectors_of", &headwater::vectors_of, py::arg("array"), py::arg("dim"));
    module.def("unplain_payloads", &headwater::unplain_payloads, py::arg("payloads"));
    module.def("each_vector_of", &headwater::each_vector_of, py::arg("texts"), py::arg("dim"));
}
