// What Python sees of scans for the nearest: on the thread that calls, or by the threads of a pool together.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "arrays.hpp"
#include "pool.hpp"
#include "scan.hpp"
#include "scan_arrays.hpp"
#include "search_codes.hpp"

namespace headwater {

void define_nearest(pybind11::module_& module);

// Of each part vectors, which rows, and their search codes or None.
using Parts = std::vector<std::tuple<pybind11::array, Which, pybind11::object>>;

// Scans of some parts, checked once for many searches; keeps what they look at.
class PyScans {
   public:
    explicit PyScans(Parts parts);
    PyScans(const PyScans&) = delete;
    PyScans& operator=(const PyScans&) = delete;

    const std::vector<Scan>& scans() const { return scans_; }  // without codes, as these differ by query
    const std::vector<const SearchCodes*>& codes() const { return codes_; }  // nullptr: there are none

   private:
    Parts parts_;
    std::vector<ChosenRows> chosen_;
    std::vector<Scan> scans_;
    std::vector<const SearchCodes*> codes_;
};

// Have as many threads of [pool] as are of use do a search of [scans], and tell it under [ticket].
void add_search(Pool& pool, std::uint64_t ticket, std::shared_ptr<const PyScans> scans, const std::string& measure,
                const F32& query, std::size_t wanted);

}  // namespace headwater
