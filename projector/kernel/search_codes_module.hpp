// What Python sees of codes that are looked at before rows.
#pragma once

#include <pybind11/pybind11.h>

#include "scan.hpp"
#include "search_codes.hpp"

namespace headwater {

// A query as codes are compared with it; keeps them.
class PyCodedQuery {
   public:
    PyCodedQuery(pybind11::object codes, const Rows& rows, CodedQuery query);

    const ScanCodes& codes() const { return scan_; }
    pybind11::object bytes() const { return bytes_; }

   private:
    pybind11::object held_;
    CodedQuery query_;
    pybind11::object bytes_;
    ScanCodes scan_;
};

void define_search_codes(pybind11::module_& module);

}  // namespace headwater
