#include "scan.hpp"

#include <cmath>
#include <limits>

namespace headwater {
namespace {

constexpr std::size_t cache_line = 64;
constexpr std::size_t prefetched = 8 * cache_line;  // of each row; the processor goes on by itself
constexpr std::size_t ahead = 4;

void prefetch(const Matrix& matrix, std::size_t number) {
    const auto* bytes = static_cast<const std::uint8_t*>(matrix.row(number));
    const std::size_t length = std::min(matrix.stride, prefetched);
    for (std::size_t at = 0; at < length; at += cache_line) __builtin_prefetch(bytes + at);
}

// Tells by a distance in float32 that a row isn't among the nearest, where that much can be told: under cosine all rows
// have about length one, under euclid each rounding is relative to what is added up. A dot product's error depends on
// how long its row is.
class Rough {
   public:
    Rough(const Matrix& matrix, Measure measure, Level level, const float* query)
        : query_(query), dim_(matrix.dim), cosine_(measure == Measure::cosine) {
        const bool unit = cosine_ && matrix.datatype != Datatype::uint8;
        if (!unit && measure != Measure::euclid) return;
        distance_ = distance_of(cosine_ ? Metric::dot : Metric::squared, matrix.datatype, level);
        // Each of the sums that are added up in the end is of a sixteenth of the numbers at most.
        error_ = 0x1p-23 * (static_cast<double>(dim_) / 16.0 + 48.0);
    }

    // The nearest known have at least this [nearness].
    void know(float nearness) {
        const double least = nearness;
        limit_ = cosine_ ? 1.0 - least + 2.0 * error_
                         : least * least * (1.0 + 2.0 * error_) +
                               static_cast<double>(dim_) * std::numeric_limits<float>::min();
    }

    bool too_far(const void* row) const {
        if (distance_ == nullptr) return false;
        const float distance = distance_(row, query_, dim_);
        // What is infinite or no number is beyond float32, and tells nothing.
        return distance > limit_ && distance <= std::numeric_limits<float>::max();
    }

   private:
    const float* query_;
    std::size_t dim_;
    bool cosine_;
    Distance distance_ = nullptr;
    double error_ = 0.0;
    double limit_ = std::numeric_limits<double>::infinity();
};

}  // namespace

std::vector<Scored> nearest(const Matrix& matrix, Measure measure, Level level, const float* query, std::size_t wanted,
                            const Chosen& chosen) {
    Best best(wanted);
    if (wanted == 0) return best.take();
    Rough rough(matrix, measure, level, query);
    ExactScorer exact(measure, matrix.datatype, level, query, 1, matrix.dim);
    const bool higher = higher_is_nearer(measure);
    const bool scattered = chosen.by != Chosen::By::all;
    chosen.each([&](const std::uint32_t* rows, std::size_t count) {
        for (std::size_t at = 0; at < count; ++at) {
            if (scattered && at + ahead < count) prefetch(matrix, rows[at + ahead]);
            const void* row = matrix.row(rows[at]);
            if (best.full() && rough.too_far(row)) continue;
            exact.take(row);
            const float score = exact.score(0);
            best.add(higher ? score : -score, rows[at]);
            if (best.full()) rough.know(best.least());
        }
    });
    return best.take();
}

void scores(const Matrix& matrix, Measure measure, Level level, const float* queries, std::size_t count,
            const Chosen& chosen, std::size_t rows, float* out) {
    ExactScorer exact(measure, matrix.datatype, level, queries, count, matrix.dim);
    std::size_t place = 0;
    chosen.each([&](const std::uint32_t* some, std::size_t size) {
        for (std::size_t at = 0; at < size; ++at, ++place) {
            if (at + ahead < size) prefetch(matrix, some[at + ahead]);
            exact.take(matrix.row(some[at]));
            for (std::size_t query = 0; query < count; ++query) out[query * rows + place] = exact.score(query);
        }
    });
}

}  // namespace headwater
