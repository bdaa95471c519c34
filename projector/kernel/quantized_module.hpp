// What Python sees of making codes; see _kernel.pyi.
#pragma once

#include <pybind11/pybind11.h>

namespace headwater {

void define_quantization(pybind11::module_& module);

}  // namespace headwater
