// One part of a search, found through its graph.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "best.hpp"
#include "rescoring.hpp"
#include "search_codes.hpp"
#include "walk.hpp"

namespace headwater {

// How a part is walked, whatever the query: for [wanted] of what is [passing] (nullptr: all), looking [ef] far.
struct PartWalk {
    const Graph* graph = nullptr;
    const Graph* coded = nullptr;        // the same over the rows' codes; nullptr where they are of no use
    const SearchCodes* codes = nullptr;  // with that
    const Rescoring* rescoring = nullptr;
    const Passing* passing = nullptr;
    std::size_t wanted = 0;
    std::size_t ef = 0;
};

struct PartWalked {
    std::vector<Scored> nearest;  // [wanted] and all that are as near as the last of them; none where fewer are found
    std::uint64_t compared = 0;
    bool exhausted = false;  // about as many rows as it might were compared before the walk had its end
};

// By codes where there are any, and the query is one for them. Throws DamagedGraph, and std::out_of_range for what
// isn't there.
PartWalked walked_part(const PartWalk& part, const float* query, std::uint64_t budget);

}  // namespace headwater
