// What Python sees of rescoring.
#pragma once

#include <pybind11/pybind11.h>

namespace headwater {

void define_rescoring(pybind11::module_& module);

}  // namespace headwater
