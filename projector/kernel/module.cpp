// What Python sees of the kernel; see _kernel.pyi. No call holds the interpreter lock while it computes, but for those
// that make bytes of bytes, normalise, or count what a message takes.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "distance.hpp"
#include "graph_module.hpp"
#include "nearest_module.hpp"
#include "normalise_module.hpp"
#include "pool.hpp"
#include "pool_task.hpp"
#include "quantized_module.hpp"
#include "rescoring_module.hpp"
#include "rows_module.hpp"
#include "scan_module.hpp"
#include "search_codes_module.hpp"
#include "wire_module.hpp"

namespace py = pybind11;
using namespace headwater;

namespace {

class PyPool {
   public:
    explicit PyPool(std::size_t threads) : pool_(threads) {}

    int descriptor() const { return pool_.descriptor(); }

    void walk(std::uint64_t ticket, const py::object& graph, const py::array& query, std::size_t wanted, std::size_t ef,
              const std::optional<Mask>& allowed, std::optional<std::uint64_t> budget, const py::object& finish) {
        add_walk(pool_, ticket, graph, query, wanted, ef, allowed, budget, finish);
    }

    void nearest(std::uint64_t ticket, const std::shared_ptr<PyParts>& parts, const std::string& measure,
                 const F32& query, std::size_t wanted) {
        add_search(pool_, ticket, parts, measure, query, wanted);
    }

    py::list finished() {
        py::list answers;
        for (const auto& task : pool_.finished()) {
            const auto& done = static_cast<const PyTask&>(*task);
            try {
                py::object answer = done.answer();
                if (!answer.is_none()) answers.append(py::make_tuple(done.ticket, std::move(answer)));
            } catch (const std::exception& failure) {
                answers.append(py::make_tuple(done.ticket, failure.what()));
            }
        }
        return answers;
    }

   private:
    Pool pool_;
};

std::vector<std::string> levels() {
    std::vector<std::string> names{"baseline"};
    if (supported(Level::avx2)) names.emplace_back("avx2");
    if (supported(Level::avx512)) names.emplace_back("avx512");
    return names;
}

}  // namespace

PYBIND11_MODULE(_kernel, module) {
    module.doc() = "Searching graphs and comparing vectors where they lie, without the interpreter lock.";
    define_graphs(module);
    py::class_<PyPool>(module, "Pool")
        .def(py::init<std::size_t>(), py::arg("threads"))
        .def("descriptor", &PyPool::descriptor)
        .def("walk", &PyPool::walk, py::arg("ticket"), py::arg("graph"), py::arg("query"), py::arg("wanted"),
             py::arg("ef"), py::arg("allowed") = py::none(), py::arg("budget") = py::none(),
             py::arg("finish") = py::none())
        .def("nearest", &PyPool::nearest, py::arg("ticket"), py::arg("parts"), py::arg("measure"), py::arg("query"),
             py::arg("wanted"))
        .def("finished", &PyPool::finished);
    module.def("levels", &levels);
    define_scans(module);
    define_normalising(module);
    define_quantization(module);
    define_search_codes(module);
    define_rescoring(module);
    define_rows(module);
    define_wire(module);
}
