#include "nearest_module.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <deque>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "pool_task.hpp"
#include "scan.hpp"
#include "search_codes_module.hpp"

namespace py = pybind11;

namespace headwater {
namespace {

// One search in some scans, which are kept for as long.
class PySearch {
   public:
    PySearch(const PyScans& scans, const std::string& measure, F32 query, std::size_t wanted,
             const std::optional<std::string>& level)
        : scans_(scans), query_(std::move(query)) {
        search.measure = measure_named(measure);
        search.level = level_named(level);
        search.query = query_.data();
        search.wanted = wanted;
        search.scans = scans.scans();
        require(query_.ndim() == 1, "a query is a vector");
        for (const Scan& scan : search.scans)
            require(static_cast<std::size_t>(query_.shape(0)) == scan.matrix.dim, "a query has dim values");
    }

    // Before the search, by whoever comes first. It needs no interpreter, and takes a while for each scan.
    void prepare() {
        std::call_once(prepared_, [this] {
            for (std::size_t at = 0; at < search.scans.size(); ++at)
                if (const SearchCodes* codes = scans_.codes()[at])
                    if (auto query = coded(*codes, search.query)) {
                        queries_.emplace_back(*codes, *std::move(query));
                        search.scans[at].codes = &queries_.back().scan;
                    }
        });
    }

    Search search;

   private:
    const PyScans& scans_;
    F32 query_;
    std::once_flag prepared_;
    std::deque<ScannedCodes> queries_;
};

// Of one search, what several threads found.
struct SharedSearch {
    SharedSearch(std::shared_ptr<const PyScans> kept, const std::string& measure, F32 query, std::size_t wanted)
        : scans(std::move(kept)), asked(*scans, measure, std::move(query), wanted, std::nullopt) {}

    const std::shared_ptr<const PyScans> scans;
    PySearch asked;
    std::mutex lock;
    std::size_t left = 0;  // tasks that have not ended
    std::vector<std::vector<Scored>> found;
    std::vector<Scored> nearest;  // of all that; once none is left
    std::exception_ptr failure;
};

// Of several scans: which, int64, beside rows and scores.
py::tuple answer_of_scans(const std::vector<Scored>& found, bool higher) {
    I64 scans(static_cast<py::ssize_t>(found.size()));
    std::int64_t* scan = scans.mutable_data();
    for (const Scored& one : found) *scan++ = one.scan;
    const py::tuple theirs = answer(found, higher);
    return py::make_tuple(scans, theirs[0], theirs[1]);
}

class SearchTask : public PyTask {
   public:
    SearchTask(std::uint64_t ticket, std::shared_ptr<SharedSearch> shared)
        : PyTask(ticket), shared_(std::move(shared)) {}

    bool run() noexcept override {
        std::exception_ptr failure;
        try {
            shared_->asked.prepare();
            std::vector<Scored> mine = nearest_left(shared_->asked.search);
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
        return answer_of_scans(shared_->nearest, higher_is_nearer(shared_->asked.search.measure));
    }

   private:
    // Here rather than where it is asked for, as that holds the interpreter's lock.
    void put_together() noexcept {
        try {
            shared_->nearest = nearest_of(shared_->found, shared_->asked.search.wanted);
        } catch (...) {
            shared_->failure = std::current_exception();
        }
    }

    std::shared_ptr<SharedSearch> shared_;
    bool last_ = false;
};

std::vector<Scored> found_by(PySearch& asked) {
    const py::gil_scoped_release released;
    asked.prepare();
    return nearest_left(asked.search);
}

py::tuple py_nearest(const py::array& vectors, const std::string& measure, const F32& query, std::size_t wanted,
                     const Which& rows, const std::optional<std::string>& level, const py::object& codes) {
    const PyScans scans({{vectors, rows, codes}});
    PySearch asked(scans, measure, query, wanted, level);
    return answer(found_by(asked), higher_is_nearer(asked.search.measure));
}

py::tuple nearest_of_scans(const PyScans& scans, const std::string& measure, const F32& query, std::size_t wanted,
                           const std::optional<std::string>& level) {
    PySearch asked(scans, measure, query, wanted, level);
    return answer_of_scans(found_by(asked), higher_is_nearer(asked.search.measure));
}

}  // namespace

void define_nearest(py::module_& module) {
    module.def("nearest", &py_nearest, py::arg("vectors"), py::arg("measure"), py::arg("query"), py::arg("wanted"),
               py::arg("rows") = py::none(), py::arg("level") = py::none(), py::arg("codes") = py::none());
    py::class_<PyScans, std::shared_ptr<PyScans>>(module, "Scans")
        .def(py::init<Parts>(), py::arg("parts"))
        .def("nearest", &nearest_of_scans, py::arg("measure"), py::arg("query"), py::arg("wanted"),
             py::arg("level") = py::none());
}

PyScans::PyScans(Parts parts) : parts_(std::move(parts)) {
    require(parts_.size() < std::numeric_limits<std::uint32_t>::max(), "too many scans");
    chosen_.reserve(parts_.size());
    for (const auto& [vectors, which, codes] : parts_) {
        Scan scan;
        scan.matrix = matrix_of(vectors);
        chosen_.emplace_back(which, scan.matrix.size);
        scan.chosen = chosen_.back().chosen;
        scans_.push_back(scan);
        codes_.push_back(codes.is_none() ? nullptr : &search_codes_of(codes));
        if (codes_.back() != nullptr)
            require(codes_.back()->rows.size == scan.matrix.size && codes_.back()->dim == scan.matrix.dim,
                    "each row has codes");
    }
}

void add_search(Pool& pool, std::uint64_t ticket, std::shared_ptr<const PyScans> scans, const std::string& measure,
                const F32& query, std::size_t wanted) {
    const auto shared = std::make_shared<SharedSearch>(std::move(scans), measure, query, wanted);
    // Where all threads have something to do, to share work only makes more of it.
    const std::size_t threads = pool.is_busy() ? 1 : pool.threads();
    shared->left = std::max<std::size_t>(1, std::min(threads, parts_of(shared->asked.search)));
    for (std::size_t task = shared->left; task > 0; --task) pool.add(std::make_unique<SearchTask>(ticket, shared));
}

}  // namespace headwater
