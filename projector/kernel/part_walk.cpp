#include "part_walk.hpp"

#include <optional>

namespace headwater {

PartWalked walked_part(const PartWalk& part, const float* query, std::uint64_t budget) {
    const std::optional<CodedQuery> by_codes = part.codes == nullptr ? std::nullopt : coded(*part.codes, query);
    const Graph& graph = by_codes ? *part.coded : *part.graph;
    const void* asked = by_codes ? static_cast<const void*>(by_codes->bytes.data()) : query;
    const Walked walked = walk(graph, asked, part.wanted, part.ef, nullptr, budget);
    PartWalked found{{}, walked.compared, walked.exhausted};
    if (walked.exhausted) return found;
    found.nearest = by_codes ? rescored(*part.rescoring, query, walked.nearest, part.passing, part.wanted, by_codes->bounds)
                             : rescored(*part.rescoring, query, walked.nearest, part.passing, part.wanted);
    return found;
}

}  // namespace headwater
