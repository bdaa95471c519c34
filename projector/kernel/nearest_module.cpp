#include "nearest_module.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "graph_module.hpp"
#include "pool_task.hpp"
#include "rescoring_module.hpp"
#include "scan.hpp"
#include "search_codes_module.hpp"

namespace py = pybind11;

namespace headwater {
namespace {

// One search in some parts, which are kept for as long.
struct PySearch {
    PySearch(const PyParts& parts, const std::string& measure, F32 vector, std::size_t wanted,
             const std::optional<std::string>& level)
        : query(std::move(vector)),
          search(parts.parts(), measure_named(measure), level_named(level), query.data(), wanted) {
        parts.check(query, search.measure());
    }

    const F32 query;
    JointSearch search;
};

// Of one search, what several threads found.
struct SharedSearch {
    SharedSearch(std::shared_ptr<const PyParts> kept, const std::string& measure, F32 query, std::size_t wanted)
        : parts(std::move(kept)), asked(*parts, measure, std::move(query), wanted, std::nullopt) {}

    const std::shared_ptr<const PyParts> parts;
    PySearch asked;
    std::mutex lock;
    std::size_t left = 0;  // tasks that have not ended
    std::vector<JointFound> found;
    JointFound together;  // of all that; once none is left
    std::exception_ptr failure;
};

// Which parts, int64, beside rows and scores; how many rows walks compared; and of each part that is yet to be searched
// which it is, whether it was for the budget, and what is damaged, or None.
py::tuple answer_of(const JointFound& found, Measure measure) {
    I64 parts(static_cast<py::ssize_t>(found.nearest.size()));
    std::int64_t* part = parts.mutable_data();
    for (const Scored& one : found.nearest) *part++ = one.scan;
    const py::tuple theirs = answer(found.nearest, higher_is_nearer(measure));
    py::tuple unfound(found.unfound.size());
    for (std::size_t at = 0; at < found.unfound.size(); ++at) {
        const Unfound& one = found.unfound[at];
        const py::object damage = one.damage.empty() ? py::object(py::none()) : py::object(py::str(one.damage));
        unfound[at] = py::make_tuple(one.part, one.exhausted, damage);
    }
    return py::make_tuple(parts, theirs[0], theirs[1], found.compared, unfound);
}

class SearchTask : public PyTask {
   public:
    SearchTask(std::uint64_t ticket, std::shared_ptr<SharedSearch> shared)
        : PyTask(ticket), shared_(std::move(shared)) {}

    bool run() noexcept override {
        std::exception_ptr failure;
        try {
            JointFound mine = shared_->asked.search.found_left(unlimited);
            const std::lock_guard<std::mutex> lock(shared_->lock);
            shared_->found.push_back(std::move(mine));
        } catch (...) {
            failure = std::current_exception();
        }
        {
            const std::lock_guard<std::mutex> lock(shared_->lock);
            if (failure) shared_->failure = failure;
            last_ = --shared_->left == 0;
        }
        if (last_ && !shared_->failure) put_together();
        return last_;
    }

    py::object answer() const override {
        if (!last_) return py::none();
        if (shared_->failure) std::rethrow_exception(shared_->failure);
        return answer_of(shared_->together, shared_->asked.search.measure());
    }

   private:
    // Here rather than where it is asked for, as that holds the interpreter's lock.
    void put_together() noexcept {
        try {
            shared_->together = shared_->asked.search.put_together(shared_->found);
        } catch (...) {
            shared_->failure = std::current_exception();
        }
    }

    std::shared_ptr<SharedSearch> shared_;
    bool last_ = false;
};

JointFound found_by(PySearch& asked, std::uint64_t budget) {
    const py::gil_scoped_release released;
    return asked.search.found_left(budget);
}

py::tuple py_nearest(const py::array& vectors, const std::string& measure, const F32& query, std::size_t wanted,
                     const Which& rows, const std::optional<std::string>& level, const py::object& codes) {
    const PyParts parts({{vectors, rows, codes}}, {});
    PySearch asked(parts, measure, query, wanted, level);
    return answer(found_by(asked, unlimited).nearest, higher_is_nearer(asked.search.measure()));
}

py::tuple nearest_of_parts(const PyParts& parts, const std::string& measure, const F32& query, std::size_t wanted,
                           std::optional<std::uint64_t> budget, const std::optional<std::string>& level) {
    PySearch asked(parts, measure, query, wanted, level);
    return answer_of(found_by(asked, budget.value_or(unlimited)), asked.search.measure());
}

}  // namespace

void define_nearest(py::module_& module) {
    module.def("nearest", &py_nearest, py::arg("vectors"), py::arg("measure"), py::arg("query"), py::arg("wanted"),
               py::arg("rows") = py::none(), py::arg("level") = py::none(), py::arg("codes") = py::none());
    py::class_<PyParts, std::shared_ptr<PyParts>>(module, "Parts")
        .def(py::init<Scanned, WalkedParts>(), py::arg("scanned"), py::arg("walked") = WalkedParts())
        .def("nearest", &nearest_of_parts, py::arg("measure"), py::arg("query"), py::arg("wanted"),
             py::arg("budget") = py::none(), py::arg("level") = py::none());
}

PyParts::PyParts(Scanned scanned, WalkedParts walked) : scanned_(std::move(scanned)), walked_(std::move(walked)) {
    require(scanned_.size() + walked_.size() < std::numeric_limits<std::uint32_t>::max(), "too many parts");
    add_scans();
    add_walks();
}

void PyParts::add_scans() {
    chosen_.reserve(scanned_.size());
    for (const auto& [vectors, which, codes] : scanned_) {
        Scan scan;
        scan.matrix = matrix_of(vectors);
        chosen_.emplace_back(which, scan.matrix.size);
        scan.chosen = chosen_.back().chosen;
        parts_.scans.push_back(scan);
        const SearchCodes* theirs = codes.is_none() ? nullptr : &search_codes_of(codes);
        parts_.codes.push_back(theirs);
        if (theirs != nullptr)
            require(theirs->rows.size == scan.matrix.size && theirs->dim == scan.matrix.dim, "each row has codes");
    }
}

void PyParts::add_walks() {
    for (const auto& [graph, rescoring, coded, codes, passing, wanted, ef] : walked_) {
        PartWalk walk;
        walk.graph = &graph_of(graph, false);
        walk.rescoring = &rescoring_of(rescoring);
        walk.passing = passing_of(passing, *walk.rescoring);
        walk.wanted = wanted;
        walk.ef = ef;
        const Matrix& matrix = walk.rescoring->matrix;
        require(walk.graph->rows.size == matrix.size && walk.graph->rows.dim == matrix.dim,
                "a graph is of the rows that are compared");
        if (!codes.is_none()) {
            walk.codes = &search_codes_of(codes);
            walk.coded = &graph_of(coded, true);
            require(walk.codes->dim == matrix.dim && walk.coded->rows.data == walk.codes->rows.data &&
                        walk.coded->rows.size == matrix.size && walk.codes->rows.size == matrix.size,
                    "each row has codes");
            require(walk.codes->measure == walk.rescoring->measure, "codes are of the measure that is compared by");
        }
        parts_.walks.push_back(walk);
    }
}

void PyParts::check(const F32& query, Measure measure) const {
    require(query.ndim() == 1, "a query is a vector");
    const auto dim = static_cast<std::size_t>(query.shape(0));
    for (const Scan& scan : parts_.scans) require(scan.matrix.dim == dim, "a query has dim values");
    for (const SearchCodes* codes : parts_.codes)
        require(codes == nullptr || codes->measure == measure, "codes are of the measure that is compared by");
    for (const PartWalk& walk : parts_.walks) {
        require(walk.rescoring->matrix.dim == dim, "a query has dim values");
        require(walk.rescoring->measure == measure, "all parts are compared by one measure");
    }
}

void add_search(Pool& pool, std::uint64_t ticket, std::shared_ptr<const PyParts> parts, const std::string& measure,
                const F32& query, std::size_t wanted) {
    const std::size_t pieces = parts->parts().pieces();
    const auto shared = std::make_shared<SharedSearch>(std::move(parts), measure, query, wanted);
    // Where all threads have something to do, to share work only makes more of it.
    const std::size_t threads = pool.is_busy() ? 1 : pool.threads();
    shared->left = std::max<std::size_t>(1, std::min(threads, pieces));
    for (std::size_t task = shared->left; task > 0; --task) pool.add(std::make_unique<SearchTask>(ticket, shared));
}

}  // namespace headwater
