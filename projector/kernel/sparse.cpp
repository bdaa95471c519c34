#include "sparse.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace headwater {
namespace {

constexpr std::size_t block_rows = 8192;  // whose sums stay in a core's cache

float as_product(double sum) {
    constexpr double largest = std::numeric_limits<float>::max();
    return static_cast<float>(std::clamp(sum, -largest, largest));
}

// Where one term's postings of the next block begin, and where all of them end.
struct Cursor {
    std::size_t at;
    std::size_t end;
    double weight;
};

// Of a term that nothing has, there are none.
Cursor cursor_of(const Postings& postings, const Term& term) {
    const std::uint32_t* end = postings.terms + postings.count;
    const std::uint32_t* place = std::lower_bound(postings.terms, end, term.index);
    if (place == end || *place != term.index) return {0, 0, term.weight};
    const std::int64_t* starts = postings.starts + (place - postings.terms);
    if (starts[0] < 0 || starts[1] < starts[0] || static_cast<std::size_t>(starts[1]) > postings.size)
        throw DamagedPostings("a term's postings are not where they should be");
    return {static_cast<std::size_t>(starts[0]), static_cast<std::size_t>(starts[1]), term.weight};
}

std::vector<Cursor> cursors_of(const Postings& postings, const std::vector<Term>& query) {
    std::vector<Cursor> cursors;
    for (const Term& term : query) {
        const Cursor cursor = cursor_of(postings, term);
        if (cursor.at < cursor.end) cursors.push_back(cursor);
    }
    return cursors;
}

// The sums of rows from [first] on, as many as a block has or are left.
class Block {
   public:
    Block(const Postings& postings, std::vector<Cursor> cursors) : postings_(postings), cursors_(std::move(cursors)) {}

    // Add up the next block's products.
    void add_up(std::size_t first, std::size_t count) {
        first_ = first;
        count_ = count;
        before_ = cursors_;
        std::fill_n(sums_, count, 0.0);
        const std::size_t end = first + count;
        for (Cursor& cursor : cursors_) {
            std::size_t at = cursor.at;
            for (; at < cursor.end && postings_.rows[at] < end; ++at) {
                const std::size_t place = postings_.rows[at] - first;
                if (place >= count) throw DamagedPostings("a term's rows do not ascend");
                sums_[place] += static_cast<double>(postings_.values[at]) * cursor.weight;
            }
            cursor.at = at;
        }
    }

    void offer(Best& best, const bool* allowed) const {
        // What sums up to nothing may have none of the terms: where that could be answered, what has one is looked up.
        if (best.full() && best.least() > 0.0f)
            offer_larger(best, allowed);
        else
            offer_touched(best, allowed);
    }

    bool ended() const {
        return std::all_of(cursors_.begin(), cursors_.end(), [](const Cursor& c) { return c.at == c.end; });
    }

   private:
    void offer_larger(Best& best, const bool* allowed) const {
        constexpr std::size_t step = 16;
        // What is a little smaller may be rounded up to what is as near.
        double least = std::nextafterf(best.least(), 0.0f);
        for (std::size_t from = 0; from < count_; from += step) {
            const std::size_t to = std::min(count_, from + step);
            bool any = false;
            for (std::size_t place = from; place < to; ++place) any |= sums_[place] >= least;
            if (!any) continue;
            for (std::size_t place = from; place < to; ++place) {
                if (sums_[place] < least || (allowed != nullptr && !allowed[first_ + place])) continue;
                best.add(as_product(sums_[place]), static_cast<std::uint32_t>(first_ + place));
            }
            least = std::nextafterf(best.least(), 0.0f);
        }
    }

    void offer_touched(Best& best, const bool* allowed) const {
        bool touched[block_rows] = {};
        for (std::size_t term = 0; term < cursors_.size(); ++term)
            for (std::size_t at = before_[term].at; at < cursors_[term].at; ++at)
                touched[postings_.rows[at] - first_] = true;
        for (std::size_t place = 0; place < count_; ++place)
            if (touched[place] && (allowed == nullptr || allowed[first_ + place]))
                best.add(as_product(sums_[place]), static_cast<std::uint32_t>(first_ + place));
    }

    const Postings& postings_;
    std::vector<Cursor> cursors_;
    std::vector<Cursor> before_;
    std::size_t first_ = 0;
    std::size_t count_ = 0;
    double sums_[block_rows];
};

// What one row's pairs add up to with the query; no number where it has none of the terms.
double product(const Pair* pair, const Pair* end, const std::vector<Term>& query) {
    double sum = 0.0;
    bool touched = false;
    for (const Term& term : query) {
        pair = std::lower_bound(pair, end, term.index,
                                [](const Pair& one, std::uint32_t index) { return one.index < index; });
        if (pair == end) break;
        if (pair->index != term.index) continue;
        sum += static_cast<double>(pair->value) * term.weight;
        touched = true;
    }
    return touched ? sum : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

void count_rows(const Postings& postings, const std::uint32_t* terms, std::size_t count, std::size_t rows,
                const bool* allowed, std::int64_t* out) {
    for (std::size_t term = 0; term < count; ++term) {
        const Cursor cursor = cursor_of(postings, {terms[term], 0.0});
        out[term] = static_cast<std::int64_t>(cursor.end - cursor.at);
        if (allowed == nullptr) continue;
        out[term] = 0;
        for (std::size_t at = cursor.at; at < cursor.end; ++at) {
            if (postings.rows[at] >= rows) throw DamagedPostings("a term has rows that there are not");
            out[term] += allowed[postings.rows[at]];
        }
    }
}

std::vector<Scored> sparse_nearest(const Postings& postings, const std::vector<Term>& query, std::size_t wanted,
                                   std::size_t rows, const bool* allowed) {
    Best best(wanted);
    if (wanted == 0) return best.take();
    Block block(postings, cursors_of(postings, query));
    for (std::size_t first = 0; first < rows; first += block_rows) {
        block.add_up(first, std::min(block_rows, rows - first));
        block.offer(best, allowed);
    }
    if (!block.ended()) throw DamagedPostings("a term has rows that there are not");
    return best.take();
}

void sparse_scores(const SparseRows& rows, const std::vector<Term>& query, const Chosen& chosen, float* out) {
    chosen.each([&](const std::uint32_t* some, std::size_t count) {
        for (std::size_t at = 0; at < count; ++at) {
            const std::int64_t begin = rows.ends[some[at]], end = rows.ends[some[at] + 1];
            if (begin < 0 || end < begin || static_cast<std::size_t>(end) > rows.size)
                throw DamagedPostings("a row's pairs are not where they should be");
            const double sum = product(rows.pairs + begin, rows.pairs + end, query);
            *out++ = std::isnan(sum) ? std::numeric_limits<float>::quiet_NaN() : as_product(sum);
        }
    });
}

}  // namespace headwater
