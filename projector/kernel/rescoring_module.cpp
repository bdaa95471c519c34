#include "rescoring_module.hpp"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "rescoring.hpp"
#include "scan_arrays.hpp"
#include "search_codes_module.hpp"

namespace py = pybind11;

namespace headwater {
namespace {

using U64 = py::array_t<std::uint64_t, py::array::c_style>;

std::size_t length(const py::array& list) {
    require(list.ndim() == 1, "a list has one dimension");
    return static_cast<std::size_t>(list.shape(0));
}

// Keeps what it is made of.
class PyPassing {
   public:
    explicit PyPassing(Mask mask) : mask_(std::move(mask)) {
        passing_.size = length(mask_);
        passing_.mask = mask_.data();
    }
    PyPassing(U64 dead_at, std::uint64_t at, std::optional<U32> slots)
        : dead_at_(std::move(dead_at)), slots_(std::move(slots)) {
        passing_.dead_at = dead_at_.data();
        passing_.died = length(dead_at_);
        passing_.at = at;
        passing_.size = slots_ ? length(*slots_) : passing_.died;
        passing_.slots = slots_ ? slots_->data() : nullptr;
    }

    const Passing& passing() const { return passing_; }

   private:
    Mask mask_;
    U64 dead_at_;
    std::optional<U32> slots_;
    Passing passing_;
};

const Passing* which_of(const PyPassing* passing, const Rescoring& rescoring) {
    if (passing == nullptr) return nullptr;
    require(passing->passing().size == rescoring.matrix.size, "it is known of each row whether it passes");
    return &passing->passing();
}

class PyRescoring {
   public:
    PyRescoring(py::array vectors, const std::string& measure, U32 firsts, U32 ends, U32 rows,
                const std::optional<std::string>& level)
        : vectors_(std::move(vectors)),
          firsts_(std::move(firsts)),
          ends_(std::move(ends)),
          rows_(std::move(rows)) {
        rescoring_.matrix = matrix_of(vectors_);
        rescoring_.measure = measure_named(measure);
        rescoring_.level = level_named(level);
        require(rescoring_.matrix.size < std::numeric_limits<std::uint32_t>::max(), "too many rows");
        require(length(firsts_) == length(ends_), "each group ends");
        require(std::is_sorted(firsts_.data(), firsts_.data() + firsts_.size()), "groups ascend");
        rescoring_.repeats = {firsts_.data(), ends_.data(), rows_.data(), length(firsts_), length(rows_)};
    }

    const Rescoring& rescoring() const { return rescoring_; }

    py::tuple spread(const U32& rows, const F32& distances, std::size_t most, const PyPassing* passing) const {
        const std::vector<Found> walked = walked_of(rows, distances);
        const Passing* which = which_of(passing, rescoring_);
        std::vector<Found> near;
        {
            const py::gil_scoped_release released;
            near = headwater::spread(rescoring_, walked, which, most);
        }
        U32 found(static_cast<py::ssize_t>(near.size()));
        F32 theirs(static_cast<py::ssize_t>(near.size()));
        for (std::size_t at = 0; at < near.size(); ++at) {
            found.mutable_data()[at] = near[at].row;
            theirs.mutable_data()[at] = near[at].distance;
        }
        return py::make_tuple(found, theirs);
    }

    py::tuple nearest(const U32& rows, const F32& distances, const F32& query, std::size_t wanted,
                      const PyPassing* passing, const PyCodedQuery* codes) const {
        const std::vector<Found> walked = walked_of(rows, distances);
        const PyFinish::Run run = comparing(query, wanted, which_of(passing, rescoring_), codes);
        std::vector<Scored> found;
        {
            const py::gil_scoped_release released;
            found = run(walked);
        }
        return answer(found, higher_is_nearer(rescoring_.measure));
    }

    static PyFinish finish_of(const py::object& self, std::size_t kept, const F32& query, std::size_t wanted,
                              const py::object& passing) {
        const Rescoring& rescoring = self.cast<const PyRescoring&>().rescoring();
        require(length(query) == rescoring.matrix.dim, "a query has dim values");
        return {[kept, &rescoring, values = query.data(), wanted,
                 which = passing_of(passing, rescoring)](const std::vector<Found>& walked) {
                    return rescored_of(kept, rescoring, values, walked, which, wanted);
                },
                higher_is_nearer(rescoring.measure), py::make_tuple(self, query, passing)};
    }

    static PyFinish finish(const py::object& self, const F32& query, std::size_t wanted, const py::object& passing,
                           const py::object& codes) {
        const auto& rescoring = self.cast<const PyRescoring&>();
        const Passing* which = passing_of(passing, rescoring.rescoring_);
        const auto* coded = codes.is_none() ? nullptr : &codes.cast<const PyCodedQuery&>();
        return {rescoring.comparing(query, wanted, which, coded), higher_is_nearer(rescoring.rescoring_.measure),
                py::make_tuple(self, query, passing, codes)};
    }

   private:
    PyFinish::Run comparing(const F32& query, std::size_t wanted, const Passing* which,
                            const PyCodedQuery* codes) const {
        require(length(query) == rescoring_.matrix.dim, "a query has dim values");
        return [this, values = query.data(), wanted, which,
                bounds = codes == nullptr ? nullptr : &codes->bounds()](const std::vector<Found>& walked) {
            if (bounds == nullptr) return rescored(rescoring_, values, walked, which, wanted);
            return rescored(rescoring_, values, walked, which, wanted, *bounds);
        };
    }

    static std::vector<Found> walked_of(const U32& rows, const F32& distances) {
        require(length(rows) == length(distances), "each row has a distance");
        std::vector<Found> walked(length(rows));
        const std::uint32_t* row = rows.data();
        const float* distance = distances.data();
        for (Found& found : walked) found = {*distance++, *row++};
        return walked;
    }

    py::array vectors_;  // these keep what rescoring_ points at
    U32 firsts_;
    U32 ends_;
    U32 rows_;
    Rescoring rescoring_;
};

}  // namespace

const Rescoring& rescoring_of(const py::object& rescoring) { return rescoring.cast<const PyRescoring&>().rescoring(); }

const Passing* passing_of(const py::object& passing, const Rescoring& rescoring) {
    return which_of(passing.is_none() ? nullptr : &passing.cast<const PyPassing&>(), rescoring);
}

void define_rescoring(py::module_& module) {
    py::class_<PyPassing>(module, "Passing")
        .def(py::init<Mask>(), py::arg("mask"))
        .def(py::init<U64, std::uint64_t, std::optional<U32>>(), py::arg("dead_at"), py::arg("at"),
             py::arg("slots") = py::none());
    py::class_<PyFinish>(module, "Finish");
    py::class_<PyRescoring>(module, "Rescoring")
        .def(py::init<py::array, const std::string&, U32, U32, U32, const std::optional<std::string>&>(),
             py::arg("vectors"), py::arg("measure"), py::arg("firsts"), py::arg("ends"), py::arg("rows"),
             py::arg("level") = py::none())
        .def("spread", &PyRescoring::spread, py::arg("rows"), py::arg("distances"), py::arg("most"),
             py::arg("passing") = py::none())
        .def("nearest", &PyRescoring::nearest, py::arg("rows"), py::arg("distances"), py::arg("query"),
             py::arg("wanted"), py::arg("passing") = py::none(), py::arg("codes") = py::none())
        .def("finish", &PyRescoring::finish, py::arg("query"), py::arg("wanted"), py::arg("passing") = py::none(),
             py::arg("codes") = py::none())
        .def("finish_of", &PyRescoring::finish_of, py::arg("kept"), py::arg("query"), py::arg("wanted"),
             py::arg("passing") = py::none());
}

}  // namespace headwater
