// A task of a pool that Python is told the end of.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>

#include "pool.hpp"

namespace headwater {

// Made, asked and destroyed with the interpreter's lock; run without it.
struct PyTask : Task {
    explicit PyTask(std::uint64_t number) : ticket(number) {}

    // What came of it; None where another task of the same ticket says that. Throws why there is nothing.
    virtual pybind11::object answer() const = 0;

    const std::uint64_t ticket;
};

}  // namespace headwater
