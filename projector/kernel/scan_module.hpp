// What Python sees of scans; see _kernel.pyi.
#pragma once

#include <pybind11/pybind11.h>

namespace headwater {

void define_scans(pybind11::module_& module);

}  // namespace headwater
