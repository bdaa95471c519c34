#include "walk.hpp"

#include <algorithm>
#include <cmath>

#include "comparing.hpp"
#include "visited.hpp"
#include "walk_states.hpp"

namespace headwater {
namespace {

constexpr std::size_t prefetched = 8 * cache_line;  // of each row; the processor goes on by itself
constexpr std::size_t most_listed = 1024;           // a list of more takes longer to insert into than two heaps

Span links_at(const Graph& graph, const Links& level, std::size_t place) {
    const std::uint32_t* links = level.links + place * level.width;
    const std::size_t size = links[0];
    if (size >= level.width) throw DamagedGraph("more links than there is room for");
    std::uint32_t last = 0;
    for (std::size_t at = 1; at <= size; ++at) last = std::max(last, links[at]);
    if (last >= graph.rows.size) throw DamagedGraph("a link leads to no row");
    return {links + 1, size};
}

Span links_of(const Graph& graph, const Links& level, std::size_t row) {
    if (level.rows == nullptr) return links_at(graph, level, row);
    const std::uint32_t* end = level.rows + level.count;
    const std::uint32_t* place = std::lower_bound(level.rows, end, static_cast<std::uint32_t>(row));
    if (place == end || *place != row) throw DamagedGraph("a link leads to no row of its level");
    return links_at(graph, level, static_cast<std::size_t>(place - level.rows));
}

// What a thread keeps between walks, so that none of them allocates.
struct Scratch {
    Visited visited;
    Comparing comparing;
    SortedCandidates sorted;
    std::vector<Candidate> ahead;
    std::vector<Candidate> kept;
};

// Apart, so that the thread's is looked up once.
__attribute__((noinline)) Scratch& scratch_of_thread() {
    thread_local Scratch scratch;
    return scratch;
}

// The row nearest to the query that can be reached on the upper levels by going nearer all the time.
Candidate descend(const Graph& graph, Comparing& comparing, Walked& walked) {
    const auto entry = static_cast<std::uint32_t>(graph.entry);
    const auto all = [](std::uint32_t) { return true; };
    comparing.take({&entry, 1}, all);
    Candidate nearest = *comparing.compare();
    ++walked.compared;
    for (auto level = graph.upper.rbegin(); level != graph.upper.rend(); ++level) {
        for (bool nearer = true; nearer;) {
            nearer = false;
            comparing.take(links_of(graph, *level, nearest.row()), all);
            walked.compared += comparing.count();
            const Candidate* found = comparing.compare();
            for (std::size_t at = 0; at < comparing.count(); ++at) {
                if (!(found[at] < nearest)) continue;
                nearest = found[at];
                nearer = true;
            }
        }
    }
    return nearest;
}

template <class State>
void go(const Graph& graph, Scratch& scratch, State state, Candidate first, std::uint64_t budget, Walked& walked) {
    Comparing& comparing = scratch.comparing;
    const Visited::Marker met = scratch.visited.begin(graph.rows.size);
    met(first.row());
    state.begin(first);
    for (Candidate next; state.next(next);) {
        if (walked.compared > budget || state.in_vain(walked.compared, budget)) {
            walked.exhausted = true;
            break;
        }
        state.follow();
        comparing.take(links_of(graph, graph.base, next.row()), met);
        walked.compared += comparing.count();
        state.add(comparing.compare(), comparing.count());
    }
    walked.nearest = state.nearest();
}

}  // namespace

// Always so many lines, but for the last: how many a row touches by where it begins no processor can tell beforehand.
void Rows::prefetch(const void* row) const {
    const auto* bytes = static_cast<const std::uint8_t*>(row);
    const std::size_t length = std::min(stride, prefetched);
    for (std::size_t at = 0; at < length; at += cache_line) __builtin_prefetch(bytes + at);
    __builtin_prefetch(bytes + length - 1);
}

double kept_of_ef(double share) {
    constexpr double farther = 2.4;
    return std::min(farther * std::sqrt(share), farther - (farther - 1.0) * share);
}

Walked walk(const Graph& graph, const void* query, std::size_t wanted, std::size_t ef, const bool* allowed,
            std::uint64_t budget) {
    Walked walked;
    if (graph.rows.size == 0 || wanted == 0) return walked;
    ef = std::max(ef, wanted);
    Scratch& scratch = scratch_of_thread();
    scratch.comparing.begin(graph, query);
    const Candidate first = descend(graph, scratch.comparing, walked);
    if (allowed == nullptr && ef <= most_listed)
        go(graph, scratch, OneList(graph.base, scratch.sorted, ef), first, budget, walked);
    else
        go(graph, scratch,
           TwoHeaps(graph.base, scratch.ahead, scratch.kept, wanted, ef, allowed, graph.rows.size), first, budget,
           walked);
    return walked;
}

}  // namespace headwater
