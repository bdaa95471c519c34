// Scores in float64: what is answered. Equal rows score equal, whatever instructions a processor has.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "distance.hpp"

namespace headwater {

// A vector name's distance. What is compared under cosine has length one already, but for rows of uint8.
enum class Measure { cosine, dot, euclid, manhattan };

inline bool higher_is_nearer(Measure measure) { return measure == Measure::cosine || measure == Measure::dot; }

// A sum as the score that is answered: nothing beyond what float32 has.
float as_score(Measure measure, double sum);

// Sums are of [lanes] numbers at a time; rows and queries are filled up with zeros.
constexpr std::size_t exact_lanes = 16;
inline std::size_t filled_up(std::size_t dim) {
    return std::max<std::size_t>(1, (dim + exact_lanes - 1) / exact_lanes) * exact_lanes;
}

using Widen = void (*)(const void* row, std::size_t dim, double* out);
using Sum = double (*)(const double* row, const double* query, std::size_t filled);

// Rows of one width and datatype as they are compared: in float64, of length one where the measure asks for it. For one
// thread: it keeps the row that it is at.
class Widener {
   public:
    // Throws std::invalid_argument for instructions that the processor lacks.
    Widener(Measure measure, Datatype datatype, Level level, std::size_t dim);

    const double* take(const void* row) {
        take(row, row_.data());
        return row_.data();
    }
    // [out]: [filled] values, of which those that are filled up are zero.
    void take(const void* row, double* out) const;
    std::size_t filled() const { return row_.size(); }

   private:
    std::size_t dim_;
    bool normalise_;
    Widen widen_;
    Sum dot_;
    std::vector<double> row_;
};

// Compares rows with queries.
class ExactScorer {
   public:
    // [queries]: [count] times [dim] values. Throws as Widener.
    ExactScorer(Measure measure, Datatype datatype, Level level, const float* queries, std::size_t count,
                std::size_t dim);

    // Take up a row.
    void take(const void* row) { row_ = widener_.take(row); }
    // The score of a query with it.
    float score(std::size_t query) const {
        const std::size_t filled = widener_.filled();
        return as_score(measure_, sum_(row_, queries_.data() + query * filled, filled));
    }

   private:
    Measure measure_;
    Widener widener_;
    Sum sum_;
    std::vector<double> queries_;
    const double* row_ = nullptr;
};

}  // namespace headwater
