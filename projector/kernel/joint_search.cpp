#include "joint_search.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <utility>

namespace headwater {

JointFound JointSearch::found_left(std::uint64_t budget) {
    JointFound found;
    Best best(search_.wanted);
    // What walks found tells scans what is too far.
    for (std::size_t at; (at = next_.fetch_add(1, std::memory_order_relaxed)) < parts_.walks.size();) {
        const PartWalk& part = parts_.walks[at];
        const auto number = static_cast<std::uint32_t>(parts_.scans.size() + at);
        try {
            const PartWalked walked = walked_part(part, search_.query, budget - std::min(budget, found.compared));
            found.compared += walked.compared;
            for (const Scored& one : walked.nearest) best.add(one.nearness, one.row, number);
            if (walked.nearest.size() < part.wanted) found.unfound.push_back({number, walked.exhausted, {}});
        } catch (const DamagedGraph& damage) {
            found.unfound.push_back({number, false, damage.what()});
        } catch (const std::out_of_range& damage) {
            found.unfound.push_back({number, false, damage.what()});
        }
    }
    if (!parts_.scans.empty()) {
        std::call_once(prepared_, [this] { prepare_scans(); });
        compare_left(search_, best);
    }
    found.nearest = best.take();
    return found;
}

JointFound JointSearch::put_together(std::vector<JointFound>& found) const {
    if (found.size() == 1) return std::move(found.front());
    JointFound together;
    Best best(search_.wanted);
    for (JointFound& one : found) {
        for (const Scored& scored : one.nearest) best.add(scored.nearness, scored.row, scored.scan);
        std::move(one.unfound.begin(), one.unfound.end(), std::back_inserter(together.unfound));
        together.compared += one.compared;
    }
    together.nearest = best.take();
    return together;
}

// Here rather than where the search begins, as that holds the interpreter's lock: it takes a while for each scan.
void JointSearch::prepare_scans() {
    search_.scans = parts_.scans;
    for (std::size_t at = 0; at < search_.scans.size(); ++at)
        if (const SearchCodes* codes = parts_.codes[at])
            if (std::optional<CodedQuery> query = coded(*codes, search_.query)) {
                queries_.emplace_back(*codes, *std::move(query));
                search_.scans[at].codes = &queries_.back().scan;
            }
}

}  // namespace headwater
