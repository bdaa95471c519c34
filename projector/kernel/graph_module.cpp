#include "graph_module.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "candidates.hpp"
#include "distance.hpp"
#include "pool_task.hpp"
#include "quantized.hpp"
#include "rescoring_module.hpp"
#include "scan_arrays.hpp"

namespace py = pybind11;

namespace headwater {
namespace {

std::optional<Form> form_named(const std::string& name) {
    if (name == "bytes") return Form::bytes;
    if (name == "nibbles") return Form::nibbles;
    if (name == "planes") return Form::planes;
    if (name == "lookup") return Form::lookup;
    return std::nullopt;
}

Rows rows_of(const py::array& vectors, const std::string& metric, const std::optional<std::string>& level) {
    require_matrix(vectors);
    const auto form = form_named(metric);
    require(form || metric == "dot" || metric == "squared", "no such metric");
    Rows rows;
    rows.data = static_cast<const std::uint8_t*>(vectors.data());
    rows.size = static_cast<std::size_t>(vectors.shape(0));
    rows.dim = static_cast<std::size_t>(vectors.shape(1));
    rows.stride = static_cast<std::size_t>(vectors.strides(0));
    if (form) {
        require(datatype_of(vectors) == Datatype::uint8, "codes are uint8");
        rows.distances = coded_distances(*form, level_named(level));
    } else {
        const Metric named = metric == "dot" ? Metric::dot : Metric::squared;
        rows.distances = distances_of(named, datatype_of(vectors), level_named(level));
    }
    require(rows.size < std::numeric_limits<std::uint32_t>::max(), "too many rows");
    return rows;
}

Links links_of(const U32& links, const U32* rows, std::size_t size) {
    require(links.ndim() == 2 && links.shape(1) > 0, "links are a matrix");
    Links level;
    level.links = links.data();
    level.count = static_cast<std::size_t>(links.shape(0));
    level.width = static_cast<std::size_t>(links.shape(1));
    if (rows == nullptr) {
        require(level.count == size, "each row has links");
        return level;
    }
    require(rows->ndim() == 1 && static_cast<std::size_t>(rows->shape(0)) == level.count,
            "each row of a level has links");
    level.rows = rows->data();
    require(std::is_sorted(level.rows, level.rows + level.count), "the rows of a level ascend");
    return level;
}

// [count] queries for rows of vectors, float32 [count, dim], or of codes, prepared, uint8 [count, length].
class Queries {
   public:
    Queries(const py::array& given, const Rows& rows, const std::string& metric) {
        const auto form = form_named(metric);
        require(given.ndim() == 1 || given.ndim() == 2, "a query is a vector, several are a matrix");
        if (form) {
            require(given.dtype().kind() == 'u' && given.itemsize() == 1, "prepared queries are uint8");
            held_ = U8::ensure(given);
        } else {
            held_ = F32::ensure(given);
        }
        require(static_cast<bool>(held_), "queries are float32, prepared ones uint8");
        const auto last = static_cast<std::size_t>(held_.shape(held_.ndim() - 1));
        count_ = held_.ndim() == 1 ? 1 : static_cast<std::size_t>(held_.shape(0));
        bytes_ = last * static_cast<std::size_t>(held_.itemsize());
        if (!form) require(last == rows.dim, "a query has dim values");
        for (std::size_t at = 0; form && at < count_; ++at)
            require(fits(*form, rows.dim, query(at), bytes_), "a prepared query is for rows of another width");
    }

    std::size_t count() const { return count_; }
    const void* query(std::size_t number) const {
        return static_cast<const std::uint8_t*>(held_.data()) + number * bytes_;
    }

   private:
    py::array held_;
    std::size_t count_ = 0;
    std::size_t bytes_ = 0;
};

// What a walk led to, and where that is compared exactly what came of it.
struct Searched {
    Walked walked;
    std::vector<Scored> scored;
    const PyFinish* finish = nullptr;
};

class PyGraph {
   public:
    PyGraph(py::array vectors, const std::string& metric, U32 links, std::vector<std::pair<U32, U32>> upper,
            std::size_t entry, const std::optional<std::string>& level)
        : vectors_(std::move(vectors)), metric_(metric), links_(std::move(links)), upper_(std::move(upper)) {
        graph_.rows = rows_of(vectors_, metric, level);
        require(graph_.rows.size <= most_candidates, "too many rows");
        graph_.base = links_of(links_, nullptr, graph_.rows.size);
        for (const auto& [rows, theirs] : upper_) graph_.upper.push_back(links_of(theirs, &rows, graph_.rows.size));
        require(graph_.rows.size == 0 || entry < graph_.rows.size, "the entry is a row");
        graph_.entry = entry;
    }

    py::tuple search(const py::array& query, std::size_t wanted, std::size_t ef, const std::optional<Mask>& allowed,
                     std::optional<std::uint64_t> budget, const PyFinish* finish) const {
        const auto searching = prepared(query, wanted, ef, allowed, budget, finish);
        Searched searched;
        {
            const py::gil_scoped_release released;
            searched = searching();
        }
        return answer(searched);
    }

    // A search that needs no Python. What it looks at is to be kept until it is destroyed; that takes that lock.
    std::function<Searched()> prepared(const py::array& query, std::size_t wanted, std::size_t ef,
                                       const std::optional<Mask>& allowed, std::optional<std::uint64_t> budget,
                                       const PyFinish* finish) const {
        require(query.ndim() == 1, "a query is a vector");
        return [this, one = Queries(query, graph_.rows, metric_), mask = mask_of(allowed), wanted, ef, finish,
                most = budget.value_or(unlimited)] {
            Searched searched{walk(graph_, one.query(0), wanted, ef, mask, most), {}, finish};
            if (finish != nullptr && !searched.walked.exhausted) searched.scored = (*finish)(searched.walked);
            return searched;
        };
    }

    // To be walked by vectors, or where [coded] by search codes. Throws where it isn't one of these.
    const Graph& graph(bool coded) const {
        const auto form = form_named(metric_);
        require(coded ? form == Form::bytes : !form, "a graph is walked by what it was made for");
        return graph_;
    }

    static py::tuple answer(const Searched& searched) {
        const Walked& walked = searched.walked;
        if (searched.finish != nullptr) {
            const py::tuple found = headwater::answer(searched.scored, searched.finish->higher());
            return py::make_tuple(found[0], found[1], walked.compared, walked.exhausted);
        }
        U32 rows(static_cast<py::ssize_t>(walked.nearest.size()));
        F32 distances(static_cast<py::ssize_t>(walked.nearest.size()));
        std::uint32_t* row = rows.mutable_data();
        float* distance = distances.mutable_data();
        for (const Found& found : walked.nearest) {
            *row++ = found.row;
            *distance++ = found.distance;
        }
        return py::make_tuple(rows, distances, walked.compared, walked.exhausted);
    }

   private:
    const bool* mask_of(const std::optional<Mask>& allowed) const {
        if (!allowed) return nullptr;
        require(allowed->ndim() == 1 && static_cast<std::size_t>(allowed->shape(0)) == graph_.rows.size,
                "a mask has a value for each row");
        return allowed->data();
    }

    py::array vectors_;  // these keep what graph_ points at
    std::string metric_;
    U32 links_;
    std::vector<std::pair<U32, U32>> upper_;
    Graph graph_;
};

class WalkTask : public PyTask {
   public:
    WalkTask(std::uint64_t ticket, const py::object& graph, const py::array& query, std::size_t wanted, std::size_t ef,
             const std::optional<Mask>& allowed, std::optional<std::uint64_t> budget, const py::object& finish)
        : PyTask(ticket),
          graph_(graph),
          allowed_(allowed),
          finish_(finish),
          searching_(graph.cast<const PyGraph&>().prepared(
              query, wanted, ef, allowed_, budget, finish.is_none() ? nullptr : &finish.cast<const PyFinish&>())) {}

    bool run() noexcept override {
        try {
            searched_ = searching_();
        } catch (...) {
            failure_ = std::current_exception();
        }
        return true;
    }

    py::object answer() const override {
        if (failure_) std::rethrow_exception(failure_);
        return PyGraph::answer(searched_);
    }

   private:
    py::object graph_;  // these three keep what [searching_] looks at
    std::optional<Mask> allowed_;
    py::object finish_;
    std::function<Searched()> searching_;
    Searched searched_;
    std::exception_ptr failure_;
};

F32 distances(const py::array& vectors, const std::string& metric, const py::array& query,
              const std::optional<py::array_t<std::int64_t, py::array::c_style>>& rows,
              const std::optional<std::string>& level) {
    constexpr std::size_t some = 16;
    const Rows all = rows_of(vectors, metric, level);
    require(query.ndim() == 1, "a query is a vector");
    const Queries one(query, all, metric);
    require(!rows || rows->ndim() == 1, "rows are a list");
    const auto count = rows ? static_cast<std::size_t>(rows->shape(0)) : all.size;
    F32 found(static_cast<py::ssize_t>(count));
    const std::int64_t* chosen = rows ? rows->data() : nullptr;
    const void* values = one.query(0);
    float* out = found.mutable_data();
    bool within = true;
    {
        const py::gil_scoped_release released;
        for (std::size_t at = 0; chosen != nullptr && at < count; ++at)
            within = within && chosen[at] >= 0 && static_cast<std::size_t>(chosen[at]) < all.size;
        const void* pointers[some];
        for (std::size_t from = 0; within && from < count; from += some) {
            const std::size_t size = std::min(some, count - from);
            for (std::size_t at = 0; at < size; ++at) {
                const std::size_t row = chosen == nullptr ? from + at : static_cast<std::size_t>(chosen[from + at]);
                pointers[at] = all.row(row);
                if (chosen != nullptr) all.prefetch(pointers[at]);
            }
            all.distances(pointers, size, values, all.dim, out + from);
        }
    }
    if (!within) throw py::index_error("there is no such row");
    return found;
}

}  // namespace

void define_graphs(py::module_& module) {
    py::register_exception<DamagedGraph>(module, "DamagedGraphError", PyExc_ValueError);
    py::class_<PyGraph>(module, "Graph")
        .def(py::init<py::array, const std::string&, U32, std::vector<std::pair<U32, U32>>, std::size_t,
                      const std::optional<std::string>&>(),
             py::arg("vectors"), py::arg("metric"), py::arg("links"), py::arg("upper"), py::arg("entry"),
             py::arg("level") = py::none())
        .def("search", &PyGraph::search, py::arg("query"), py::arg("wanted"), py::arg("ef"),
             py::arg("allowed") = py::none(), py::arg("budget") = py::none(), py::arg("finish") = py::none());
    module.def("distances", &distances, py::arg("vectors"), py::arg("metric"), py::arg("query"),
               py::arg("rows") = py::none(), py::arg("level") = py::none());
    module.def("kept_of_ef", &kept_of_ef, py::arg("share"));
}

const Graph& graph_of(const py::object& graph, bool coded) { return graph.cast<const PyGraph&>().graph(coded); }

void add_walk(Pool& pool, std::uint64_t ticket, const py::object& graph, const py::array& query, std::size_t wanted,
              std::size_t ef, const std::optional<Mask>& allowed, std::optional<std::uint64_t> budget,
              const py::object& finish) {
    pool.add(std::make_unique<WalkTask>(ticket, graph, query, wanted, ef, allowed, budget, finish));
}

}  // namespace headwater
