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

std::vector<Scored> nearest(const Matrix& matrix, Measure measure, Level level, const float* query, std::size_t wanted,
                            const Chosen& chosen) {
    Best best(wanted);
    if (wanted == 0) return best.take();
    Rough rough(matrix, measure, level, query);
    ExactScorer exact(measure, matrix.datatype, level, query, 1, matrix.dim);
    const bool higher = higher_is_nearer(measure);
    const bool scattered = chosen.by != Chosen::By::all;
    chosen.each([&](const std::uint32_t* rows, std::size_t count) {
        const void* some[Rough::together];
        for (std::size_t from = 0; from < count; from += Rough::together) {
            const std::size_t size = std::min(count - from, Rough::together);
            for (std::size_t at = 0; at < size; ++at) some[at] = matrix.row(rows[from + at]);
            if (scattered)
                for (std::size_t at = from + size; at < std::min(count, from + 2 * size); ++at) prefetch(matrix, rows[at]);
            const bool compared = best.full();
            if (compared) rough.compare(some, size);
            for (std::size_t at = 0; at < size; ++at) {
                if (compared && rough.too_far(at)) continue;
                exact.take(some[at]);
                const float score = exact.score(0);
                best.add(higher ? score : -score, rows[from + at]);
                if (best.full()) rough.know(best.least());
            }
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
