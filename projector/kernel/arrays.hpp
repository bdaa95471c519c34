// What the kernel takes from Python, checked.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <optional>
#include <string>

#include "distance.hpp"

namespace headwater {

using U32 = pybind11::array_t<std::uint32_t, pybind11::array::c_style>;
using I64 = pybind11::array_t<std::int64_t, pybind11::array::c_style>;
using F32 = pybind11::array_t<float, pybind11::array::c_style>;
using F64 = pybind11::array_t<double, pybind11::array::c_style>;
using U8 = pybind11::array_t<std::uint8_t, pybind11::array::c_style>;
using Mask = pybind11::array_t<bool, pybind11::array::c_style>;

inline void require(bool holds, const char* otherwise) {
    if (!holds) throw pybind11::value_error(otherwise);
}

// The best where none is named.
Level level_named(const std::optional<std::string>& name);

Datatype datatype_of(const pybind11::array& vectors);

// Checks that [vectors] are a matrix, each of whose rows lies in one piece.
void require_matrix(const pybind11::array& vectors);

}  // namespace headwater
