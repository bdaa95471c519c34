#include "walk.hpp"

#include <algorithm>
#include <cmath>

namespace headwater {
namespace {

constexpr std::size_t cache_line = 64;
constexpr std::size_t prefetched = 8 * cache_line;  // of each row; the processor goes on by itself

// Which rows were met, by the number of the search: nothing is to be cleared between searches.
class Visited {
   public:
    void begin(std::size_t size) {
        if (marks_.size() < size) marks_.resize(size, 0);
        if (++search_ == 0) {
            std::fill(marks_.begin(), marks_.end(), std::uint16_t{0});
            search_ = 1;
        }
    }
    bool mark(std::size_t row) {
        if (marks_[row] == search_) return false;
        marks_[row] = search_;
        return true;
    }

   private:
    std::vector<std::uint16_t> marks_;
    std::uint16_t search_ = 0;
};

thread_local Visited visited;

struct Span {
    const std::uint32_t* first;
    std::size_t size;
};

Span links_at(const Graph& graph, const Links& level, std::size_t place) {
    const std::uint32_t* links = level.links + place * level.width;
    const std::size_t size = links[0];
    if (size >= level.width) throw DamagedGraph("more links than there is room for");
    for (std::size_t at = 1; at <= size; ++at)
        if (links[at] >= graph.rows.size) throw DamagedGraph("a link leads to no row");
    return {links + 1, size};
}

Span links_of(const Graph& graph, const Links& level, std::size_t row) {
    if (level.rows == nullptr) return links_at(graph, level, row);
    const std::uint32_t* end = level.rows + level.count;
    const std::uint32_t* place = std::lower_bound(level.rows, end, static_cast<std::uint32_t>(row));
    if (place == end || *place != row) throw DamagedGraph("a link leads to no row of its level");
    return links_at(graph, level, static_cast<std::size_t>(place - level.rows));
}

// The row nearest to the query that can be reached on the upper levels by going nearer all the time.
Found descend(const Graph& graph, const void* query, Walked& walked) {
    Found nearest{graph.rows.to(query, graph.entry), static_cast<std::uint32_t>(graph.entry)};
    ++walked.compared;
    for (auto level = graph.upper.rbegin(); level != graph.upper.rend(); ++level) {
        for (bool nearer = true; nearer;) {
            nearer = false;
            const Span links = links_of(graph, *level, nearest.row);
            walked.compared += links.size;
            for (std::size_t at = 0; at < links.size; ++at) {
                const Found next{graph.rows.to(query, links.first[at]), links.first[at]};
                if (next < nearest) {
                    nearest = next;
                    nearer = true;
                }
            }
        }
    }
    return nearest;
}

void drop_farthest(std::vector<Found>& kept) {
    std::pop_heap(kept.begin(), kept.end());
    kept.pop_back();
}

}  // namespace

void Rows::prefetch(std::size_t number) const {
    const auto* bytes = static_cast<const std::uint8_t*>(row(number));
    const std::size_t length = std::min(stride, prefetched);
    for (std::size_t at = 0; at < length; at += cache_line) __builtin_prefetch(bytes + at);
}

Walked walk(const Graph& graph, const void* query, std::size_t wanted, std::size_t ef, const bool* allowed,
            std::uint64_t budget) {
    Walked walked;
    if (graph.rows.size == 0 || wanted == 0) return walked;
    ef = std::max(ef, wanted);
    const Found first = descend(graph, query, walked);
    visited.begin(graph.rows.size);
    visited.mark(first.row);

    std::vector<Found> ahead{first};  // a heap, nearest on top: whose links are yet to be followed
    std::vector<Found>& kept = walked.nearest;  // a heap, farthest on top
    kept.reserve(std::min(ef, graph.rows.size) + 1);
    if (allowed == nullptr || allowed[first.row]) kept.push_back(first);
    std::vector<std::uint32_t> fresh(graph.base.width);
    std::uint64_t met = 1;
    std::uint64_t passed = kept.size();
    std::size_t most = ef;

    while (!ahead.empty()) {
        const Found next = ahead.front();
        if (kept.size() >= most && kept.front() < next) break;
        if (walked.compared > budget) {
            walked.exhausted = true;
            break;
        }
        std::pop_heap(ahead.begin(), ahead.end(), [](const Found& a, const Found& b) { return b < a; });
        ahead.pop_back();
        const Span links = links_of(graph, graph.base, next.row);
        std::size_t count = 0;
        for (std::size_t at = 0; at < links.size; ++at) {
            const std::uint32_t row = links.first[at];
            if (!visited.mark(row)) continue;
            graph.rows.prefetch(row);
            fresh[count++] = row;
        }
        walked.compared += count;
        met += count;
        for (std::size_t at = 0; at < count; ++at) {
            const Found found{graph.rows.to(query, fresh[at]), fresh[at]};
            if (kept.size() >= most && !(found < kept.front())) {
                passed += allowed != nullptr && allowed[found.row];
                continue;
            }
            ahead.push_back(found);
            std::push_heap(ahead.begin(), ahead.end(), [](const Found& a, const Found& b) { return b < a; });
            if (allowed != nullptr && !allowed[found.row]) continue;
            ++passed;
            kept.push_back(found);
            std::push_heap(kept.begin(), kept.end());
            if (kept.size() > most) drop_farthest(kept);
        }
        if (allowed != nullptr) {
            const double share = static_cast<double>(passed + 1) / static_cast<double>(met + 1);
            most = std::max(wanted, static_cast<std::size_t>(std::ceil(static_cast<double>(ef) * std::sqrt(share))));
            while (kept.size() > most) drop_farthest(kept);
        }
        if (!ahead.empty()) __builtin_prefetch(graph.base.links + ahead.front().row * graph.base.width);
    }
    std::sort_heap(kept.begin(), kept.end());
    return walked;
}

}  // namespace headwater
