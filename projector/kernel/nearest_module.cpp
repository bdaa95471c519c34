#include "nearest_module.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <exception>
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

// A scan, and what keeps what it looks at.
struct PyScan {
    PyScan(const py::array& vectors, const std::string& measure, const F32& query, std::size_t wanted,
           const Which& rows, const py::object& codes, const std::optional<std::string>& level)
        : vectors_(vectors), query_(query), codes_(codes), chosen_(rows, matrix_of(vectors).size) {
        scan.matrix = matrix_of(vectors);
        scan.measure = measure_named(measure);
        scan.level = level_named(level);
        require(query.ndim() == 1 && static_cast<std::size_t>(query.shape(0)) == scan.matrix.dim,
                "a query has dim values");
        scan.query = query.data();
        scan.wanted = wanted;
        scan.chosen = chosen_.chosen;
        if (codes.is_none()) return;
        scan.codes = &codes.cast<const PyCodedQuery&>().codes();
        require(scan.codes->codes.size == scan.matrix.size, "each row has codes");
    }

    Scan scan;

   private:
    py::array vectors_;
    F32 query_;
    py::object codes_;
    ChosenRows chosen_;
};

// Of one scan, what several threads found.
struct SharedScan {
    SharedScan(const py::array& vectors, const std::string& measure, const F32& query, std::size_t wanted,
               const Which& rows, const py::object& codes)
        : asked(vectors, measure, query, wanted, rows, codes, std::nullopt) {}

    PyScan asked;
    std::mutex lock;
    std::size_t left = 0;  // tasks that have not ended
    std::vector<std::vector<Scored>> found;
    std::vector<Scored> nearest;  // of all that; once none is left
    std::exception_ptr failure;
};

class ScanTask : public PyTask {
   public:
    ScanTask(std::uint64_t ticket, std::shared_ptr<SharedScan> shared) : PyTask(ticket), shared_(std::move(shared)) {}

    bool run() noexcept override {
        std::exception_ptr failure;
        try {
            std::vector<Scored> mine = nearest_left(shared_->asked.scan);
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
        return headwater::answer(shared_->nearest, higher_is_nearer(shared_->asked.scan.measure));
    }

   private:
    // Here rather than where it is asked for, as that holds the interpreter's lock.
    void put_together() noexcept {
        try {
            shared_->nearest = nearest_of(shared_->found, shared_->asked.scan.wanted);
        } catch (...) {
            shared_->failure = std::current_exception();
        }
    }

    std::shared_ptr<SharedScan> shared_;
    bool last_ = false;
};

py::tuple py_nearest(const py::array& vectors, const std::string& measure, const F32& query, std::size_t wanted,
                     const Which& rows, const std::optional<std::string>& level, const py::object& codes) {
    PyScan asked(vectors, measure, query, wanted, rows, codes, level);
    std::vector<Scored> found;
    {
        const py::gil_scoped_release released;
        found = nearest_left(asked.scan);
    }
    return answer(found, higher_is_nearer(asked.scan.measure));
}

}  // namespace

void define_nearest(py::module_& module) {
    module.def("nearest", &py_nearest, py::arg("vectors"), py::arg("measure"), py::arg("query"), py::arg("wanted"),
               py::arg("rows") = py::none(), py::arg("level") = py::none(), py::arg("codes") = py::none());
}

void add_scan(Pool& pool, std::uint64_t ticket, const py::array& vectors, const std::string& measure, const F32& query,
              std::size_t wanted, const Which& rows, const py::object& codes) {
    const auto shared = std::make_shared<SharedScan>(vectors, measure, query, wanted, rows, codes);
    shared->left = std::max<std::size_t>(1, std::min(pool.threads(), parts_of(shared->asked.scan)));
    for (std::size_t task = shared->left; task > 0; --task) pool.add(std::make_unique<ScanTask>(ticket, shared));
}

}  // namespace headwater
