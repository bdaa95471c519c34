// What Python sees of normalising vectors; see _kernel.pyi.
#pragma once

#include <pybind11/pybind11.h>

namespace headwater {

void define_normalising(pybind11::module_& module);

}  // namespace headwater
