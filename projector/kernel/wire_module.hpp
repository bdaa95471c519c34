// What Python sees of the size of messages; see _kernel.pyi.
#pragma once

#include <pybind11/pybind11.h>

namespace headwater {

void define_wire(pybind11::module_& module);

}  // namespace headwater
