// What Python sees of codes that are looked at before rows.
#pragma once

#include <pybind11/pybind11.h>

#include "scan.hpp"
#include "search_codes.hpp"

namespace headwater {

// A query as a walk compares codes with it.
class PyCodedQuery {
   public:
    explicit PyCodedQuery(const CodedQuery& query);

    const CodeBounds& bounds() const { return bounds_; }
    pybind11::object bytes() const { return bytes_; }

   private:
    CodeBounds bounds_;
    pybind11::object bytes_;
};

// What Python's SearchCodes are. Throws where it is something else.
const SearchCodes& search_codes_of(const pybind11::object& codes);

void define_search_codes(pybind11::module_& module);

}  // namespace headwater
