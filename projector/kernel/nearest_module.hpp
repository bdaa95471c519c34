// What Python sees of scans for the nearest: on the thread that calls, or by the threads of a pool together.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "arrays.hpp"
#include "pool.hpp"
#include "scan_arrays.hpp"

namespace headwater {

void define_nearest(pybind11::module_& module);

// Of each scan vectors, which rows, and a query of their search codes, or None.
using Parts = std::vector<std::tuple<pybind11::array, Which, pybind11::object>>;

// Have as many threads of [pool] as are of use do a search of scans together, and tell it under [ticket].
void add_search(Pool& pool, std::uint64_t ticket, const Parts& parts, const std::string& measure, const F32& query,
                std::size_t wanted);

}  // namespace headwater
