// What Python sees of scans for the nearest: on the thread that calls, or by the threads of a pool together.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>

#include "arrays.hpp"
#include "pool.hpp"
#include "scan_arrays.hpp"

namespace headwater {

void define_nearest(pybind11::module_& module);

// Have as many threads of [pool] as are of use do a scan, and tell it under [ticket]. [codes]: a query of them, or None.
void add_scan(Pool& pool, std::uint64_t ticket, const pybind11::array& vectors, const std::string& measure,
              const F32& query, std::size_t wanted, const Which& rows, const pybind11::object& codes);

}  // namespace headwater
