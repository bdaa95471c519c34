#include "scan_module.hpp"

#include <pybind11/stl.h>

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "maxsim.hpp"
#include "nearest_module.hpp"
#include "scan.hpp"
#include "scan_arrays.hpp"
#include "sparse.hpp"

namespace py = pybind11;

namespace headwater {
namespace {

F32 py_scores(const py::array& vectors, const std::string& measure, const F32& queries, const Which& rows,
              const std::optional<std::string>& level) {
    const Matrix matrix = matrix_of(vectors);
    const Measure named = measure_named(measure);
    const Level instructions = level_named(level);
    require(queries.ndim() == 2 && static_cast<std::size_t>(queries.shape(1)) == matrix.dim,
            "queries have dim values each");
    const ChosenRows chosen(rows, matrix.size);
    require(chosen.chosen.by != Chosen::By::mask, "rows are a list");
    const auto count = static_cast<std::size_t>(queries.shape(0));
    F32 found({static_cast<py::ssize_t>(count), static_cast<py::ssize_t>(chosen.count())});
    const float* values = queries.data();
    float* out = found.mutable_data();
    {
        const py::gil_scoped_release released;
        scores(matrix, named, instructions, values, count, chosen.chosen, chosen.count(), out);
    }
    return found;
}

std::vector<Term> terms_of(const U32& terms, const F64& weights) {
    require(terms.ndim() == 1 && weights.ndim() == 1 && terms.shape(0) == weights.shape(0), "each term has a weight");
    std::vector<Term> query;
    for (py::ssize_t at = 0; at < terms.shape(0); ++at) {
        require(at == 0 || terms.data()[at - 1] < terms.data()[at], "terms ascend");
        // What weighs nothing finds nothing.
        if (weights.data()[at] != 0.0) query.push_back({terms.data()[at], weights.data()[at]});
    }
    return query;
}

class PyPostings {
   public:
    PyPostings(U32 terms, I64 starts, U32 rows, F32 values, std::size_t size)
        : terms_(std::move(terms)),
          starts_(std::move(starts)),
          rows_(std::move(rows)),
          values_(std::move(values)),
          size_(size) {
        require(terms_.ndim() == 1 && starts_.ndim() == 1 && starts_.shape(0) == terms_.shape(0) + 1,
                "each term has postings");
        require(rows_.ndim() == 1 && values_.ndim() == 1 && rows_.shape(0) == values_.shape(0), "each row has a value");
        require(size < std::numeric_limits<std::uint32_t>::max(), "too many rows");
        postings_ = {terms_.data(), starts_.data(), static_cast<std::size_t>(terms_.shape(0)),
                     rows_.data(),  values_.data(), static_cast<std::size_t>(rows_.shape(0))};
    }

    py::tuple nearest(const U32& terms, const F64& weights, std::size_t wanted,
                      const std::optional<Mask>& allowed) const {
        const std::vector<Term> query = terms_of(terms, weights);
        const bool* mask = mask_of(allowed);
        std::vector<Scored> found;
        {
            const py::gil_scoped_release released;
            found = sparse_nearest(postings_, query, wanted, size_, mask);
        }
        return answer(found, true);
    }

    I64 counts(const U32& terms, const std::optional<Mask>& allowed) const {
        require(terms.ndim() == 1, "terms are a list");
        const bool* mask = mask_of(allowed);
        I64 found(terms.shape(0));
        const std::uint32_t* some = terms.data();
        const auto count = static_cast<std::size_t>(terms.shape(0));
        std::int64_t* out = found.mutable_data();
        {
            const py::gil_scoped_release released;
            count_rows(postings_, some, count, size_, mask, out);
        }
        return found;
    }

   private:
    const bool* mask_of(const std::optional<Mask>& allowed) const {
        require(!allowed || (allowed->ndim() == 1 && static_cast<std::size_t>(allowed->shape(0)) == size_),
                "a mask has a value for each row");
        return allowed ? allowed->data() : nullptr;
    }

    U32 terms_;  // these keep what postings_ points at
    I64 starts_;
    U32 rows_;
    F32 values_;
    std::size_t size_;
    Postings postings_;
};

// Where each row's items end; there is one row less than [ends].
std::size_t rows_of(const I64& ends) {
    require(ends.ndim() == 1 && ends.shape(0) > 0, "ends are one more than rows");
    return static_cast<std::size_t>(ends.shape(0)) - 1;
}

F32 py_sparse_scores(const U32& pairs, const I64& ends, const U32& terms, const F64& weights, const Which& rows) {
    static_assert(sizeof(Pair) == 2 * sizeof(std::uint32_t));
    require(pairs.ndim() == 2 && pairs.shape(1) == 2, "pairs are of an index and the bits of a value");
    const std::vector<Term> query = terms_of(terms, weights);
    const SparseRows all{reinterpret_cast<const Pair*>(pairs.data()), static_cast<std::size_t>(pairs.shape(0)),
                         ends.data(), rows_of(ends)};
    const ChosenRows chosen(rows, all.count);
    require(chosen.chosen.by != Chosen::By::mask, "rows are a list");
    F32 found(static_cast<py::ssize_t>(chosen.count()));
    float* out = found.mutable_data();
    {
        const py::gil_scoped_release released;
        sparse_scores(all, query, chosen.chosen, out);
    }
    return found;
}

struct MultiQuery {
    MultiRows rows;
    Measure measure;
    Level level;
    const float* values;
    std::size_t count;

    MultiQuery(const py::array& vectors, const I64& ends, const std::string& name, const F32& queries,
               const std::optional<std::string>& instructions)
        : rows{matrix_of(vectors), ends.data(), rows_of(ends)},
          measure(measure_named(name)),
          level(level_named(instructions)),
          values(queries.data()) {
        require(queries.ndim() == 2 && static_cast<std::size_t>(queries.shape(1)) == rows.vectors.dim,
                "queries have dim values each");
        count = static_cast<std::size_t>(queries.shape(0));
    }
};

py::tuple py_max_sim_nearest(const py::array& vectors, const I64& ends, const std::string& measure, const F32& queries,
                             std::size_t wanted, const Which& rows, const std::optional<std::string>& level) {
    const MultiQuery query(vectors, ends, measure, queries, level);
    const ChosenRows chosen(rows, query.rows.count);
    std::vector<Scored> found;
    {
        const py::gil_scoped_release released;
        found = max_sim_nearest(query.rows, query.measure, query.level, query.values, query.count, wanted,
                                chosen.chosen);
    }
    return answer(found, higher_is_nearer(query.measure));
}

F32 py_max_sim_scores(const py::array& vectors, const I64& ends, const std::string& measure, const F32& queries,
                      const Which& rows, const std::optional<std::string>& level) {
    const MultiQuery query(vectors, ends, measure, queries, level);
    const ChosenRows chosen(rows, query.rows.count);
    require(chosen.chosen.by != Chosen::By::mask, "rows are a list");
    F32 found(static_cast<py::ssize_t>(chosen.count()));
    float* out = found.mutable_data();
    {
        const py::gil_scoped_release released;
        max_sim_scores(query.rows, query.measure, query.level, query.values, query.count, chosen.chosen, out);
    }
    return found;
}

}  // namespace

void define_scans(py::module_& module) {
    py::register_exception<DamagedPostings>(module, "DamagedPostingsError", PyExc_ValueError);
    py::register_exception<DamagedEnds>(module, "DamagedEndsError", PyExc_ValueError);
    define_nearest(module);
    module.def("scores", &py_scores, py::arg("vectors"), py::arg("measure"), py::arg("queries"),
               py::arg("rows") = py::none(), py::arg("level") = py::none());
    py::class_<PyPostings>(module, "Postings")
        .def(py::init<U32, I64, U32, F32, std::size_t>(), py::arg("terms"), py::arg("starts"), py::arg("rows"),
             py::arg("values"), py::arg("size"))
        .def("nearest", &PyPostings::nearest, py::arg("terms"), py::arg("weights"), py::arg("wanted"),
             py::arg("allowed") = py::none())
        .def("counts", &PyPostings::counts, py::arg("terms"), py::arg("allowed") = py::none());
    module.def("sparse_scores", &py_sparse_scores, py::arg("pairs"), py::arg("ends"), py::arg("terms"),
               py::arg("weights"), py::arg("rows") = py::none());
    module.def("max_sim_nearest", &py_max_sim_nearest, py::arg("vectors"), py::arg("ends"), py::arg("measure"),
               py::arg("queries"), py::arg("wanted"), py::arg("rows") = py::none(), py::arg("level") = py::none());
    module.def("max_sim_scores", &py_max_sim_scores, py::arg("vectors"), py::arg("ends"), py::arg("measure"),
               py::arg("queries"), py::arg("rows") = py::none(), py::arg("level") = py::none());
}

}  // namespace headwater
