#include "walk.hpp"

#include <algorithm>
#include <cmath>

#include "candidates.hpp"

namespace headwater {
namespace {

constexpr std::size_t cache_line = 64;
constexpr std::size_t prefetched = 8 * cache_line;  // of each row; the processor goes on by itself
constexpr std::size_t most_listed = 1024;           // a list of more takes longer to insert into than two heaps

// Which rows were met, by the number of the search: nothing is to be cleared between searches.
class Visited {
   public:
    // Notes that a row is met, and tells whether it is for the first time.
    class Marker {
       public:
        Marker(std::uint16_t* marks, std::uint16_t search) : marks_(marks), search_(search) {}
        bool operator()(std::uint32_t row) const {
            const bool first = marks_[row] != search_;
            marks_[row] = search_;
            return first;
        }

       private:
        std::uint16_t* marks_;
        std::uint16_t search_;
    };

    Marker begin(std::size_t size) {
        if (marks_.size() < size) marks_.resize(size, 0);
        if (++search_ == 0) {
            std::fill(marks_.begin(), marks_.end(), std::uint16_t{0});
            search_ = 1;
        }
        return {marks_.data(), search_};
    }

   private:
    std::vector<std::uint16_t> marks_;
    std::uint16_t search_ = 0;
};

struct Span {
    const std::uint32_t* first;
    std::size_t size;
};

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

void prefetch_links(const Graph& graph, std::uint32_t row) {
    const std::uint32_t* links = graph.base.links + row * graph.base.width;
    const std::uint32_t* end = links + graph.base.width;
    for (; links < end; links += cache_line / sizeof *links) __builtin_prefetch(links);
}

// Compares rows with a query, as many at once as a row has links.
class Comparing {
   public:
    void begin(const Graph& graph, const void* query) {
        rows_ = &graph.rows;
        query_ = query;
        count_ = 0;
        std::size_t most = std::max<std::size_t>(1, graph.base.width);
        for (const Links& level : graph.upper) most = std::max(most, level.width);
        if (candidates_.size() >= most) return;
        numbers_.resize(most);
        pointers_.resize(most);
        distances_.resize(most);
        candidates_.resize(most);
    }

    // Take up the rows among [links] that a [choice] says are to be compared.
    template <class Choice>
    void take(Span links, Choice choice) {
        std::uint32_t* numbers = numbers_.data();
        std::size_t count = 0;
        // Each is written down, and counted if chosen, as no processor can tell that beforehand.
        for (std::size_t at = 0; at < links.size; ++at) {
            numbers[count] = links.first[at];
            count += choice(links.first[at]);
        }
        for (std::size_t at = 0; at < count; ++at) {
            pointers_[at] = rows_->row(numbers[at]);
            rows_->prefetch(pointers_[at]);
        }
        count_ = count;
    }

    std::size_t count() const { return count_; }

    // What was taken up, in order.
    const Candidate* compare() {
        rows_->distances(pointers_.data(), count_, query_, rows_->dim, distances_.data());
        for (std::size_t at = 0; at < count_; ++at) candidates_[at] = Candidate(distances_[at], numbers_[at]);
        return candidates_.data();
    }

   private:
    const Rows* rows_ = nullptr;
    const void* query_ = nullptr;
    std::size_t count_ = 0;
    std::vector<std::uint32_t> numbers_;
    std::vector<const void*> pointers_;
    std::vector<float> distances_;
    std::vector<Candidate> candidates_;
};

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

std::vector<Found> all_of(const Candidate* candidates, std::size_t count) {
    std::vector<Found> all;
    all.reserve(count);
    for (std::size_t at = 0; at < count; ++at) all.push_back({candidates[at].distance(), candidates[at].row()});
    return all;
}

// A walk's state where all rows may be found and few are kept: one list, which it goes on from, too.
class OneList {
   public:
    OneList(const Graph& graph, Scratch& scratch, std::size_t ef) : graph_(graph), kept_(scratch.sorted) {
        kept_.clear(ef);
    }

    void begin(Candidate first) { kept_.add(first); }

    bool next(Candidate& candidate) {
        next_ = unfollowed(next_);
        if (next_ == kept_.size()) return false;
        candidate = kept_[next_];
        return true;
    }

    // Take the next one away, and look at what may come after it.
    void follow() {
        kept_[next_].follow();
        after_ = unfollowed(next_);
        if (after_ < kept_.size()) prefetch_links(graph_, kept_[after_].row());
    }

    void add(const Candidate* found, std::size_t count) {
        for (std::size_t at = 0; at < count; ++at) {
            if (!kept_.takes(found[at])) continue;
            const std::size_t place = kept_.add(found[at]);
            next_ = std::min(next_, place);
            if (place <= after_) prefetch_links(graph_, found[at].row());
        }
    }

    std::vector<Found> nearest() const { return all_of(kept_.data(), kept_.size()); }

   private:
    std::size_t unfollowed(std::size_t place) const {
        while (place < kept_.size() && kept_[place].followed()) ++place;
        return place;
    }

    const Graph& graph_;
    SortedCandidates& kept_;
    std::size_t next_ = 0;   // the links of all before it were followed
    std::size_t after_ = 0;  // where the one was that would come next, were there nothing nearer
};

// A walk's state where rows may lead on and not be found, or many are kept: two heaps.
class TwoHeaps {
   public:
    TwoHeaps(const Graph& graph, Scratch& scratch, std::size_t wanted, std::size_t ef, const bool* allowed)
        : graph_(graph),
          ahead_(scratch.ahead),
          kept_(scratch.kept),
          wanted_(wanted),
          ef_(ef),
          most_(ef),
          allowed_(allowed) {
        ahead_.clear();
        kept_.clear();
    }

    void begin(Candidate first) {
        met_ = 1;
        ahead_.push_back(first);
        if (!may_be_found(first)) return;
        passed_ = 1;
        kept_.push_back(first);
    }

    bool next(Candidate& candidate) const {
        if (ahead_.empty() || (kept_.size() >= most_ && kept_.front() < ahead_.front())) return false;
        candidate = ahead_.front();
        return true;
    }

    void follow() {
        std::pop_heap(ahead_.begin(), ahead_.end(), farther);
        ahead_.pop_back();
        if (!ahead_.empty()) prefetch_links(graph_, ahead_.front().row());
    }

    void add(const Candidate* found, std::size_t count) {
        met_ += count;
        for (std::size_t at = 0; at < count; ++at) {
            const bool may = may_be_found(found[at]);
            passed_ += may;
            if (kept_.size() >= most_ && !(found[at] < kept_.front())) continue;
            ahead_.push_back(found[at]);
            std::push_heap(ahead_.begin(), ahead_.end(), farther);
            if (!may) continue;
            kept_.push_back(found[at]);
            std::push_heap(kept_.begin(), kept_.end());
            if (kept_.size() > most_) drop_farthest();
        }
        if (allowed_ == nullptr) return;
        most_ = most_of(static_cast<double>(passed_ + 1) / static_cast<double>(met_ + 1));
        while (kept_.size() > most_) drop_farthest();
    }

    std::vector<Found> nearest() {
        std::sort_heap(kept_.begin(), kept_.end());
        return all_of(kept_.data(), kept_.size());
    }

   private:
    static bool farther(Candidate one, Candidate other) { return other < one; }

    bool may_be_found(Candidate candidate) const { return allowed_ == nullptr || allowed_[candidate.row()]; }

    // How many to keep where this share of what was met may be found.
    std::size_t most_of(double share) const {
        return std::max(wanted_, static_cast<std::size_t>(std::ceil(static_cast<double>(ef_) * kept_of_ef(share))));
    }

    void drop_farthest() {
        std::pop_heap(kept_.begin(), kept_.end());
        kept_.pop_back();
    }

    const Graph& graph_;
    std::vector<Candidate>& ahead_;  // nearest on top: whose links are yet to be followed
    std::vector<Candidate>& kept_;   // farthest on top
    std::size_t wanted_;
    std::size_t ef_;
    std::size_t most_;
    const bool* allowed_;
    std::uint64_t met_ = 0;
    std::uint64_t passed_ = 0;
};

template <class State>
void go(const Graph& graph, Scratch& scratch, State state, Candidate first, std::uint64_t budget, Walked& walked) {
    Comparing& comparing = scratch.comparing;
    const Visited::Marker met = scratch.visited.begin(graph.rows.size);
    met(first.row());
    state.begin(first);
    for (Candidate next; state.next(next);) {
        if (walked.compared > budget) {
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

void Rows::prefetch(const void* row) const {
    const auto from = reinterpret_cast<std::uintptr_t>(row);
    const std::uintptr_t end = from + std::min(stride, prefetched);
    for (std::uintptr_t line = from & ~(cache_line - 1); line < end; line += cache_line)
        __builtin_prefetch(reinterpret_cast<const void*>(line));
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
        go(graph, scratch, OneList(graph, scratch, ef), first, budget, walked);
    else
        go(graph, scratch, TwoHeaps(graph, scratch, wanted, ef, allowed), first, budget, walked);
    return walked;
}

}  // namespace headwater
