// What Python sees of searches for the nearest: on the thread that calls, or by the threads of a pool together.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "arrays.hpp"
#include "joint_search.hpp"
#include "pool.hpp"
#include "scan_arrays.hpp"

namespace headwater {

void define_nearest(pybind11::module_& module);

// Of each part vectors, which rows, and their search codes or None.
using Scanned = std::vector<std::tuple<pybind11::array, Which, pybind11::object>>;

// Of each part a graph, its rescoring, the same graph over search codes and these codes, or None, which rows may be
// found, and how many are to be, looking how far.
using WalkedParts =
    std::vector<std::tuple<pybind11::object, pybind11::object, pybind11::object, pybind11::object, pybind11::object,
                           std::size_t, std::size_t>>;

// Some parts, checked once for many searches; keeps what they look at.
class PyParts {
   public:
    PyParts(Scanned scanned, WalkedParts walked);
    PyParts(const PyParts&) = delete;
    PyParts& operator=(const PyParts&) = delete;

    const SearchedParts& parts() const { return parts_; }
    // That a query is one for all of them.
    void check(const F32& query, Measure measure) const;

   private:
    void add_scans();
    void add_walks();

    Scanned scanned_;
    WalkedParts walked_;
    std::vector<ChosenRows> chosen_;
    SearchedParts parts_;
};

// Have as many threads of [pool] as are of use do a search of [parts], and tell it under [ticket].
void add_search(Pool& pool, std::uint64_t ticket, std::shared_ptr<const PyParts> parts, const std::string& measure,
                const F32& query, std::size_t wanted);

}  // namespace headwater
