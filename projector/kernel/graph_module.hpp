// What Python sees of graphs, and of the distances that they are walked by.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstddef>
#include <cstdint>
#include <optional>

#include "arrays.hpp"
#include "pool.hpp"
#include "walk.hpp"

namespace headwater {

void define_graphs(pybind11::module_& module);

// What Python's Graph is, to be walked by vectors, or where [coded] by search codes. Throws where it is something else.
const Graph& graph_of(const pybind11::object& graph, bool coded);

// Have a thread of [pool] search [graph], and tell it under [ticket].
void add_walk(Pool& pool, std::uint64_t ticket, const pybind11::object& graph, const pybind11::array& query,
              std::size_t wanted, std::size_t ef, const std::optional<Mask>& allowed,
              std::optional<std::uint64_t> budget, const pybind11::object& finish);

}  // namespace headwater
