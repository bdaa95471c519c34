#include "search_codes_module.hpp"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "arrays.hpp"
#include "code_heads.hpp"
#include "scan_arrays.hpp"

namespace py = pybind11;

namespace headwater {
namespace {

std::size_t length(const py::array& array, int dimension) { return static_cast<std::size_t>(array.shape(dimension)); }

class PySearchCodes {
   public:
    PySearchCodes(U8 rows, F32 centre, const std::string& measure, double error, double length, double scale,
                  const std::optional<std::string>& level)
        : rows_(std::move(rows)), centre_(std::move(centre)) {
        require(rows_.ndim() == 2 && centre_.ndim() == 1, "codes are a matrix, and counted from a vector on");
        require(headwater::length(rows_, 1) == row_head + headwater::length(centre_, 0), "a row has a code a value");
        codes_.rows.data = rows_.data();
        codes_.rows.size = headwater::length(rows_, 0);
        codes_.rows.dim = codes_.rows.stride = headwater::length(rows_, 1);
        codes_.rows.datatype = Datatype::uint8;
        codes_.near = block_functions(level_named(level));
        codes_.dim = headwater::length(centre_, 0);
        codes_.centre = centre_.data();
        codes_.sizes = {error, length, scale};
        codes_.measure = measure_named(measure);
        require(codes_.measure != Measure::manhattan, "there are no codes for this measure");
    }

    const SearchCodes& codes() const { return codes_; }

   private:
    U8 rows_;
    F32 centre_;
    SearchCodes codes_;
};

std::unique_ptr<PyCodedQuery> query_of(const PySearchCodes& self, const F32& query) {
    const SearchCodes& codes = self.codes();
    require(query.ndim() == 1 && length(query, 0) == codes.dim, "a query has dim values");
    const std::optional<CodedQuery> found = coded(codes, query.data());
    return found ? std::make_unique<PyCodedQuery>(*found) : nullptr;
}

py::tuple encoded(const F32& rows, const F32& centre, const std::string& measure,
                  const std::optional<std::string>& level) {
    require(rows.ndim() == 2 && centre.ndim() == 1 && rows.shape(1) == centre.shape(0), "rows and centre are as long");
    const std::size_t count = length(rows, 0), dim = length(rows, 1);
    U8 codes({static_cast<py::ssize_t>(count), static_cast<py::ssize_t>(row_head + dim)});
    const bool squared = measure_named(measure) == Measure::euclid;
    const float* from = rows.data();
    const float* middle = centre.data();
    std::uint8_t* to = codes.mutable_data();
    const Level instructions = level_named(level);
    CodeSizes sizes;
    {
        const py::gil_scoped_release released;
        encode(from, count, dim, middle, squared, instructions, to, sizes);
    }
    return py::make_tuple(codes, sizes.error, sizes.length, sizes.scale);
}

}  // namespace

PyCodedQuery::PyCodedQuery(const CodedQuery& query)
    : bounds_(query.bounds), bytes_(U8(static_cast<py::ssize_t>(query.bytes.size()), query.bytes.data())) {}

const SearchCodes& search_codes_of(const py::object& codes) { return codes.cast<const PySearchCodes&>().codes(); }

void define_search_codes(py::module_& module) {
    py::class_<PyCodedQuery>(module, "CodedQuery").def_property_readonly("bytes", &PyCodedQuery::bytes);
    py::class_<PySearchCodes>(module, "SearchCodes")
        .def(py::init<U8, F32, const std::string&, double, double, double, const std::optional<std::string>&>(),
             py::arg("rows"), py::arg("centre"), py::arg("measure"), py::arg("error"), py::arg("length"),
             py::arg("scale"), py::arg("level") = py::none())
        .def("query", &query_of, py::arg("query"));
    module.def("encoded", &encoded, py::arg("rows"), py::arg("centre"), py::arg("measure"),
               py::arg("level") = py::none());
}

}  // namespace headwater
