#include "maxsim.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "half.hpp"
#include "instructions.hpp"

namespace headwater {
namespace {

constexpr std::size_t filled_bytes = 64;  // queries are filled up to as many, of the widest registers one

template <class T>
using CompareTwo = void (*)(const T* one, const T* two, std::size_t dim, const T* queries, std::size_t filled, T* most);

#define LANES_FILE "maxsim_lanes.hpp"
#include "every_level.hpp"
#undef LANES_FILE

template <class T>
CompareTwo<T> compare_at(Level level, Measure measure) {
#ifdef HEADWATER_X86
    if (level == Level::avx512) return avx512::compare_of<T>(measure);
    if (level == Level::avx2) return avx2::compare_of<T>(measure);
#endif
    return baseline::compare_of<T>(measure);
}

// All of a query's vectors beside rows, in float32 or float64.
template <class T>
class Comparer {
   public:
    Comparer(const MultiRows& rows, Measure measure, Level level, const float* queries, std::size_t count)
        : rows_(rows),
          dim_(rows.vectors.dim),
          count_(count),
          filled_((count + step - 1) / step * step),
          compare_(compare_at<T>(level, measure)),
          widener_(measure, rows.vectors.datatype, level, dim_),
          queries_(filled_ * dim_),
          most_(filled_),
          first_(filled_up(dim_)),
          second_(filled_up(dim_)) {
        for (std::size_t query = 0; query < count; ++query)
            for (std::size_t at = 0; at < dim_; ++at) queries_[at * filled_ + query] = queries[query * dim_ + at];
    }

    // What a row's largest similarities add up to; under euclid and manhattan minus the distances.
    double sum(std::size_t row) {
        const std::int64_t begin = rows_.ends[row], end = rows_.ends[row + 1];
        if (begin < 0 || end < begin || static_cast<std::size_t>(end) > rows_.vectors.size)
            throw DamagedEnds("a row's vectors are not where they should be");
        std::fill(most_.begin(), most_.end(), -std::numeric_limits<T>::infinity());
        for (auto at = static_cast<std::size_t>(begin); at < static_cast<std::size_t>(end); at += 2) {
            const std::size_t next = std::min(at + 1, static_cast<std::size_t>(end) - 1);
            const T* one = taken(at, first_);
            compare_(one, next == at ? one : taken(next, second_), dim_, queries_.data(), filled_, most_.data());
        }
        double sum = 0.0;
        for (std::size_t query = 0; query < count_; ++query) sum += static_cast<double>(most_[query]);
        return sum;
    }

   private:
    static constexpr std::size_t step = filled_bytes / sizeof(T);

    const T* taken(std::size_t number, std::vector<T>& buffer) {
        const void* vector = rows_.vectors.row(number);
        if constexpr (sizeof(T) == sizeof(float)) {
            if (rows_.vectors.datatype == Datatype::float32) return static_cast<const float*>(vector);
            const double* wide = widener_.take(vector);
            std::transform(wide, wide + dim_, buffer.begin(), [](double value) { return static_cast<float>(value); });
        } else {
            widener_.take(vector, buffer.data());
        }
        return buffer.data();
    }

    const MultiRows& rows_;
    std::size_t dim_;
    std::size_t count_;
    std::size_t filled_;
    CompareTwo<T> compare_;
    Widener widener_;
    std::vector<T> queries_;
    std::vector<T> most_;
    std::vector<T> first_;
    std::vector<T> second_;
};

float score_of(Measure measure, double sum) { return as_score(measure, higher_is_nearer(measure) ? sum : -sum); }

// How far sums in float32 may be off: vectors have about length one under cosine, and under euclid each rounding is
// relative to what is added up. Elsewhere that depends on how long the vectors are, so that nothing is told by them.
struct Tolerance {
    double absolute = std::numeric_limits<double>::infinity();
    double relative = 0.0;

    Tolerance(Measure measure, std::size_t dim, std::size_t count) {
        const double rounding = 0x1p-23 * (static_cast<double>(dim) + 8.0);
        if (measure == Measure::cosine) absolute = rounding * static_cast<double>(count);
        if (measure == Measure::euclid) {
            absolute = static_cast<double>(dim * count) * std::numeric_limits<float>::min();
            relative = rounding;
        }
    }
    bool tells() const { return absolute < std::numeric_limits<double>::infinity(); }

    // Whether a row that adds up to [sum] in float32 is farther than one of a [nearness].
    bool too_far(double sum, double nearness) const {
        const double least = relative > 0.0 ? -nearness * nearness : nearness;
        return std::isfinite(sum) && sum < least - absolute - 2.0 * relative * -least;
    }
};

}  // namespace

std::vector<Scored> max_sim_nearest(const MultiRows& rows, Measure measure, Level level, const float* queries,
                                    std::size_t count, std::size_t wanted, const Chosen& chosen) {
    Best best(wanted);
    if (wanted == 0) return best.take();
    const Tolerance tolerance(measure, rows.vectors.dim, count);
    Comparer<float> rough(rows, measure, level, queries, count);
    Comparer<double> exact(rows, measure, level, queries, count);
    const bool higher = higher_is_nearer(measure);
    chosen.each([&](const std::uint32_t* some, std::size_t size) {
        for (std::size_t at = 0; at < size; ++at) {
            if (best.full() && tolerance.tells() && tolerance.too_far(rough.sum(some[at]), best.least())) continue;
            const float score = score_of(measure, exact.sum(some[at]));
            best.add(higher ? score : -score, some[at]);
        }
    });
    return best.take();
}

void max_sim_scores(const MultiRows& rows, Measure measure, Level level, const float* queries, std::size_t count,
                    const Chosen& chosen, float* out) {
    Comparer<double> exact(rows, measure, level, queries, count);
    chosen.each([&](const std::uint32_t* some, std::size_t size) {
        for (std::size_t at = 0; at < size; ++at) *out++ = score_of(measure, exact.sum(some[at]));
    });
}

}  // namespace headwater
