// What Python sees of the size of messages; see _kernel.pyi. The interpreter lock is held for small ones only.
#include "wire_module.hpp"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "wire.hpp"

namespace py = pybind11;

namespace headwater {
namespace {

constexpr std::uint32_t most_fields = 1 << 16;
// To give up the interpreter lock, and to wait for it, may take longer than to count what is in so few bytes.
constexpr std::size_t short_size = 64 << 10;

using Fields = std::map<std::uint32_t, std::tuple<std::optional<std::int32_t>, std::uint32_t, std::uint32_t>>;

WireSchema schema_of(const std::vector<Fields>& given, std::uint32_t unknown) {
    std::vector<std::vector<WireField>> messages(given.size());
    for (std::size_t at = 0; at < given.size(); ++at) {
        for (const auto& [number, described] : given[at]) {
            const auto& [message, each, one] = described;
            require(number < most_fields, "fields have small numbers");
            require(!message || (*message >= 0 && static_cast<std::size_t>(*message) < given.size()),
                    "a field holds one of the messages");
            if (messages[at].size() <= number) messages[at].resize(number + 1);
            messages[at][number] = {message.value_or(WireField::no_message), each, one, true};
        }
    }
    return {std::move(messages), unknown};
}

std::uint64_t parsed_size(const WireSchema& schema, const py::bytes& data, std::size_t message, std::uint64_t limit) {
    require(message < schema.messages(), "there is no such message");
    const auto view = static_cast<std::string_view>(data);
    std::optional<py::gil_scoped_release> released;
    if (view.size() > short_size) released.emplace();
    return schema.parsed_size(reinterpret_cast<const std::uint8_t*>(view.data()), view.size(), message, limit);
}

}  // namespace

void define_wire(py::module_& module) {
    py::class_<WireSchema>(module, "WireSchema")
        .def(py::init(&schema_of), py::arg("messages"), py::arg("unknown"))
        .def("parsed_size", &parsed_size, py::arg("data"), py::arg("message"), py::arg("limit"));
}

}  // namespace headwater
