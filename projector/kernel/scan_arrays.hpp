// What scans take from Python beside arrays, checked, and what they give.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>
#include <vector>

#include "scan.hpp"

namespace headwater {

Measure measure_named(const std::string& name);

// What [vectors], a matrix that is kept for as long, is to a scan.
Matrix matrix_of(const pybind11::array& vectors);

// Rows, int64, and scores, float32; [higher]: whether a higher score is nearer.
pybind11::tuple answer(const std::vector<Scored>& found, bool higher);

}  // namespace headwater
