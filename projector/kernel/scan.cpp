#include "scan.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace headwater {
namespace {

constexpr std::size_t cache_line = 64;
constexpr std::size_t prefetched = 8 * cache_line;  // of each row; the processor goes on by itself
constexpr std::size_t scattered_ahead = 16;
constexpr std::size_t bytes_ahead = 8192;  // in order; about as far as the processor goes on by itself
constexpr std::size_t taken_at_a_time = 2048;

// Always inline: a function that does nothing else is taken for one that does nothing, and calls of it are left out.
#define ALWAYS_INLINE inline __attribute__((always_inline))

ALWAYS_INLINE void prefetch(const Matrix& matrix, std::size_t number) {
    const auto* bytes = static_cast<const std::uint8_t*>(matrix.row(number));
    const std::size_t length = std::min(matrix.stride, prefetched);
    for (std::size_t at = 0; at < length; at += cache_line) __builtin_prefetch(bytes + at);
}

// Asks for rows that will be compared soon.
class Ahead {
   public:
    Ahead(const Matrix& matrix, const Chosen& chosen)
        : matrix_(matrix),
          in_order_(chosen.by == Chosen::By::all),
          ahead_(in_order_ ? std::max<std::size_t>(1, bytes_ahead / std::max<std::size_t>(1, matrix.stride))
                           : scattered_ahead) {}

    // Before the [at]-th of some [rows] is compared.
    ALWAYS_INLINE void before(const std::uint32_t* rows, std::size_t at, std::size_t count) const {
        if (in_order_) {
            if (rows[at] + ahead_ < matrix_.size) prefetch(matrix_, rows[at] + ahead_);
        } else if (at + ahead_ < count) {
            prefetch(matrix_, rows[at + ahead_]);
        }
    }

   private:
    const Matrix& matrix_;
    bool in_order_;
    std::size_t ahead_;
};

// Tells by a distance in float32 that a row isn't among the nearest, where that much can be told: under cosine all rows
// have about length one, under euclid each rounding is relative to what is added up. A dot product's error depends on
// how long its row is.
class Rough {
   public:
    Rough(const Matrix& matrix, Measure measure, Level level, const float* query)
        : query_(query), dim_(matrix.dim), cosine_(measure == Measure::cosine) {
        const bool unit = cosine_ && matrix.datatype != Datatype::uint8;
        if (!unit && measure != Measure::euclid) return;
        distances_ = distances_of(cosine_ ? Metric::dot : Metric::squared, matrix.datatype, level);
        // Each of the sums that are added up in the end is of a sixteenth of the numbers.
        error_ = 0x1p-23 * (static_cast<double>(dim_) / 16.0 + 48.0);
    }

    // The nearest known have at least this [nearness].
    void know(float nearness) {
        const double least = nearness;
        limit_ = cosine_ ? 1.0 - least + 2.0 * error_
                         : least * least * (1.0 + 2.0 * error_) +
                               static_cast<double>(dim_) * std::numeric_limits<float>::min();
    }

    // Compare the next rows that there are, [count] of them, at most [together].
    static constexpr std::size_t together = 16;
    void compare(const void* const* rows, std::size_t count) {
        if (distances_ != nullptr) distances_(rows, count, query_, dim_, distance_);
    }

    // Of those rows one.
    bool too_far(std::size_t number) const {
        if (distances_ == nullptr) return false;
        // What is infinite or no number is beyond float32, and tells nothing.
        return distance_[number] > limit_ && distance_[number] <= std::numeric_limits<float>::max();
    }

   private:
    const float* query_;
    std::size_t dim_;
    bool cosine_;
    Distances distances_ = nullptr;
    float distance_[together];
    double error_ = 0.0;
    double limit_ = std::numeric_limits<double>::infinity();
};

}  // namespace

std::size_t parts_of(const Scan& scan) {
    return (scan.chosen.length() + taken_at_a_time - 1) / taken_at_a_time;
}

std::vector<Scored> nearest_left(Scan& scan) {
    const Matrix& matrix = scan.matrix;
    Best best(scan.wanted);
    if (scan.wanted == 0) return best.take();
    Rough rough(matrix, scan.measure, scan.level, scan.query);
    ExactScorer exact(scan.measure, matrix.datatype, scan.level, scan.query, 1, matrix.dim);
    const Ahead ahead(matrix, scan.chosen);
    const bool higher = higher_is_nearer(scan.measure);
    const auto some = [&](const std::uint32_t* rows, std::size_t count) {
        const void* together[Rough::together];
        for (std::size_t from = 0; from < count; from += Rough::together) {
            const std::size_t size = std::min(count - from, Rough::together);
            for (std::size_t at = 0; at < size; ++at) {
                ahead.before(rows, from + at, count);
                together[at] = matrix.row(rows[from + at]);
            }
            const bool compared = best.full();
            if (compared) rough.compare(together, size);
            for (std::size_t at = 0; at < size; ++at) {
                if (compared && rough.too_far(at)) continue;
                exact.take(together[at]);
                const float score = exact.score(0);
                best.add(higher ? score : -score, rows[from + at]);
                if (best.full()) rough.know(best.least());
            }
        }
    };
    const std::size_t all = scan.chosen.length();
    for (std::size_t from; (from = scan.next.fetch_add(taken_at_a_time, std::memory_order_relaxed)) < all;)
        scan.chosen.each(from, std::min(all, from + taken_at_a_time), some);
    return best.take();
}

std::vector<Scored> nearest_of(const std::vector<std::vector<Scored>>& parts, std::size_t wanted) {
    Best best(wanted);
    for (const std::vector<Scored>& part : parts)
        for (const Scored& one : part) best.add(one.nearness, one.row);
    return best.take();
}

std::vector<Scored> nearest(const Matrix& matrix, Measure measure, Level level, const float* query, std::size_t wanted,
                            const Chosen& chosen) {
    Scan scan{matrix, measure, level, query, wanted, chosen};
    return nearest_left(scan);
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
