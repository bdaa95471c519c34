// What Python sees of rescoring.
#pragma once

#include <pybind11/pybind11.h>

#include <functional>
#include <utility>
#include <vector>

#include "best.hpp"
#include "rescoring.hpp"
#include "walk.hpp"

namespace headwater {

// Compares exactly what a walk found, on the thread that walked. What it looks at it keeps, so that it is made and
// destroyed with the interpreter's lock.
class PyFinish {
   public:
    using Run = std::function<std::vector<Scored>(const std::vector<Found>&)>;

    PyFinish(Run run, bool higher, pybind11::tuple kept)
        : run_(std::move(run)), higher_(higher), kept_(std::move(kept)) {}

    std::vector<Scored> operator()(const Walked& walked) const { return run_(walked.nearest); }
    bool higher() const { return higher_; }  // whether a higher score is nearer

   private:
    Run run_;
    bool higher_;
    pybind11::tuple kept_;
};

// What Python's Rescoring is, which is kept for as long. Throws where it is something else.
const Rescoring& rescoring_of(const pybind11::object& rescoring);

// Which rows of that may be found, by Python's Passing; nullptr for None: all.
const Passing* passing_of(const pybind11::object& passing, const Rescoring& rescoring);

void define_rescoring(pybind11::module_& module);

}  // namespace headwater
