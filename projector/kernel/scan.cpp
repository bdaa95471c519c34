#include "scan.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>

#include "coded_scan.hpp"
#include "float_limit.hpp"

namespace headwater {
namespace {

constexpr std::size_t scattered_ahead = 16;
constexpr std::size_t bytes_ahead = 8192;  // in order; about as far as the processor goes on by itself
constexpr std::size_t taken_at_a_time = 2048;

// Asks for rows that will be compared soon.
class Ahead {
   public:
    Ahead(const Matrix& matrix, const Chosen& chosen)
        : matrix_(matrix),
          in_order_(chosen.by == Chosen::By::all),
          ahead_(in_order_ ? std::max<std::size_t>(1, bytes_ahead / std::max<std::size_t>(1, matrix.stride))
                           : scattered_ahead) {}

    // Before the [at]-th of some [rows] is compared.
    __attribute__((always_inline)) void before(const std::uint32_t* rows, std::size_t at, std::size_t count) const {
        if (in_order_) {
            if (short_) return;  // those the processor asks for by itself
            if (rows[at] + ahead_ < matrix_.size) matrix_.prefetch(rows[at] + ahead_);
        } else if (at + ahead_ < count) {
            matrix_.prefetch(rows[at + ahead_]);
        }
    }

   private:
    const Matrix& matrix_;
    bool in_order_;
    bool short_ = matrix_.stride < 256;
    std::size_t ahead_;
};

// Tells by a distance in float32 that a row isn't among the nearest, where that much can be told: under cosine all rows
// have about length one, under euclid each rounding is relative to what is added up. A dot product's error depends on
// how long its row is.
class Rough {
   public:
    Rough(const Search& search, const Matrix& matrix)
        : measure_(search.measure), query_(search.query), rows_(matrix) {
        const bool cosine = measure_ == Measure::cosine;
        const bool unit = cosine && rows_.datatype != Datatype::uint8;
        if (!unit && measure_ != Measure::euclid) return;
        distances_ = distances_of(cosine ? Metric::dot : Metric::squared, rows_.datatype, search.level);
        // Each of the sums that are added up in the end is of a sixteenth of the numbers.
        error_ = 0x1p-23 * (static_cast<double>(rows_.dim) / 16.0 + 48.0);
    }

    // The nearest known have at least this [nearness].
    void know(float nearness) {
        const double least = nearness;
        double limit = 0.0;
        if (measure_ == Measure::cosine)
            limit = 1.0 - least + 2.0 * error_;
        else
            limit = least * least * (1.0 + 2.0 * error_) +
                    static_cast<double>(rows_.dim) * std::numeric_limits<float>::min();
        limit_ = float_limit(limit);
    }

    // Compare the next rows that there are, [count] of them, at most [together]. Whether all are too far.
    static constexpr std::size_t together = 16;
    bool compare(const void* const* rows, std::size_t count) {
        if (distances_ == nullptr) return false;
        distances_(rows, count, query_, rows_.dim, distance_);
        bool all = true;
        for (std::size_t at = 0; at < count; ++at) all &= is_beyond(distance_[at], limit_);
        return all;
    }

    // Of those rows one.
    bool too_far(std::size_t number) const { return distances_ != nullptr && is_beyond(distance_[number], limit_); }

   private:
    Measure measure_;
    const void* query_;
    const Matrix& rows_;
    Distances distances_ = nullptr;
    float distance_[together];
    double error_ = 0.0;
    float limit_ = std::numeric_limits<float>::infinity();
};

std::size_t pieces_of(const Scan& scan) {
    return (scan.chosen.length() + taken_at_a_time - 1) / taken_at_a_time;
}

// Compares rows of one scan, in the order in which they are chosen.
class Comparing {
   public:
    Comparing(const Search& search, std::size_t number, Best& best)
        : scan_(search.scans[number]),
          number_(static_cast<std::uint32_t>(number)),
          best_(best),
          exact_(search.measure, scan_.matrix.datatype, search.level, search.query, 1, scan_.matrix.dim),
          higher_(higher_is_nearer(search.measure)),
          by_vectors_(search, scan_.matrix) {
        if (scan_.codes != nullptr) by_codes_ = std::make_unique<CodedScan>(search, scan_);
        know();
    }

    // Those from one place on of what is gone through.
    void compare(std::size_t from) {
        const std::size_t to = std::min(scan_.chosen.length(), from + taken_at_a_time);
        if (by_codes_ && by_codes_->in_vain()) finish();
        if (by_codes_) {
            by_codes_->compare(from, to);
            return;
        }
        const Ahead ahead(scan_.matrix, scan_.chosen);
        scan_.chosen.each(from, to,
                          [&](const std::uint32_t* rows, std::size_t count) { compare(ahead, rows, count); });
    }

    // What was gone through by codes.
    void finish() {
        if (!by_codes_) return;
        by_codes_->finish([&](std::uint32_t row) { compare_exactly(row); });
        by_codes_.reset();
    }

   private:
    // Those that aren't told to be too far.
    void compare(const Ahead& ahead, const std::uint32_t* rows, std::size_t count) {
        const void* together[Rough::together];
        for (std::size_t from = 0; from < count; from += Rough::together) {
            const std::size_t size = std::min(count - from, Rough::together);
            for (std::size_t at = 0; at < size; ++at) {
                ahead.before(rows, from + at, count);
                together[at] = scan_.matrix.row(rows[from + at]);
            }
            const bool compared = best_.full();
            if (compared && by_vectors_.compare(together, size)) continue;
            for (std::size_t at = 0; at < size; ++at)
                if (!compared || !by_vectors_.too_far(at)) compare_exactly(rows[from + at]);
        }
    }

    void compare_exactly(std::uint32_t row) {
        exact_.take(scan_.matrix.row(row));
        const float score = exact_.score(0);
        best_.add(higher_ ? score : -score, row, number_);
        know();
    }

    void know() {
        if (!best_.full()) return;
        by_vectors_.know(best_.least());
        if (by_codes_) by_codes_->know(best_.least());
    }

    const Scan& scan_;
    std::uint32_t number_;
    Best& best_;
    ExactScorer exact_;
    bool higher_;
    Rough by_vectors_;
    std::unique_ptr<CodedScan> by_codes_;  // nullptr: there are none, or they are of no use
};

}  // namespace

std::size_t parts_of(const std::vector<Scan>& scans) {
    std::size_t pieces = 0;
    for (const Scan& scan : scans) pieces += pieces_of(scan);
    return pieces;
}

void compare_left(Search& search, Best& best) {
    if (search.wanted == 0) return;
    const std::size_t all = parts_of(search.scans);
    std::size_t number = 0, first = 0;  // a scan, and its first piece
    std::optional<Comparing> comparing;
    for (std::size_t piece; (piece = search.next.fetch_add(1, std::memory_order_relaxed)) < all;) {
        for (std::size_t pieces; piece >= first + (pieces = pieces_of(search.scans[number])); ++number) {
            first += pieces;
            if (comparing) comparing->finish();
            comparing.reset();
        }
        if (!comparing) comparing.emplace(search, number, best);
        comparing->compare((piece - first) * taken_at_a_time);
    }
    if (comparing) comparing->finish();
}

std::vector<Scored> nearest(const Matrix& matrix, Measure measure, Level level, const float* query, std::size_t wanted,
                            const Chosen& chosen) {
    Search search{measure, level, query, wanted, {{matrix, chosen}}};
    Best best(wanted);
    compare_left(search, best);
    return best.take();
}

void scores(const Matrix& matrix, Measure measure, Level level, const float* queries, std::size_t count,
            const Chosen& chosen, std::size_t rows, float* out) {
    ExactScorer exact(measure, matrix.datatype, level, queries, count, matrix.dim);
    const Ahead ahead(matrix, chosen);
    std::size_t place = 0;
    chosen.each([&](const std::uint32_t* some, std::size_t size) {
        for (std::size_t at = 0; at < size; ++at, ++place) {
            ahead.before(some, at, size);
            exact.take(matrix.row(some[at]));
            for (std::size_t query = 0; query < count; ++query) out[query * rows + place] = exact.score(query);
        }
    });
}

}  // namespace headwater
