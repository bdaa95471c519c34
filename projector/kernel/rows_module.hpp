// What Python sees of rows of bytes in many runs of them; see _kernel.pyi.
#pragma once

#include <pybind11/pybind11.h>

namespace headwater {

void define_rows(pybind11::module_& module);

}  // namespace headwater
