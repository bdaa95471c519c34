// What scans take from Python beside arrays, checked, and what they give.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "chosen.hpp"
#include "scan.hpp"

namespace headwater {

Measure measure_named(const std::string& name);

// What [vectors], a matrix that is kept for as long, is to a scan.
Matrix matrix_of(const pybind11::array& vectors);

using Which = std::optional<pybind11::array>;  // a mask, bool [rows], or a list, int64

// Which of [size] rows are chosen; keeps what it was given.
class ChosenRows {
   public:
    ChosenRows(const Which& which, std::size_t size);

    // How many there are of all or of a list.
    std::size_t count() const { return chosen.length(); }

    Chosen chosen;

   private:
    pybind11::object held_;
};

// Rows, int64, and scores, float32; [higher]: whether a higher score is nearer.
pybind11::tuple answer(const std::vector<Scored>& found, bool higher);

}  // namespace headwater
