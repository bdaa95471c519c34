#include "exact.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "half.hpp"
#include "instructions.hpp"

namespace headwater {
namespace {

struct Functions {
    Widen widen[3];  // by datatype
    Sum dot;
    Sum squares;
    Sum absolutes;
};

#define LANES_FILE "exact_lanes.hpp"
#include "every_level.hpp"
#undef LANES_FILE
#include "functions_at.hpp"

Sum sum_of(const Functions& functions, Measure measure) {
    if (measure == Measure::euclid) return functions.squares;
    return measure == Measure::manhattan ? functions.absolutes : functions.dot;
}

}  // namespace

float as_score(Measure measure, double sum) {
    constexpr double largest = std::numeric_limits<float>::max();
    const double score = measure == Measure::euclid ? std::sqrt(sum) : sum;
    return static_cast<float>(std::clamp(score, -largest, largest));
}

Widener::Widener(Measure measure, Datatype datatype, Level level, std::size_t dim)
    : dim_(dim),
      normalise_(measure == Measure::cosine && datatype == Datatype::uint8),
      widen_(functions_at(level).widen[static_cast<std::size_t>(datatype)]),
      dot_(functions_at(level).dot),
      row_(filled_up(dim)) {}

void Widener::take(const void* row, double* out) const {
    widen_(row, dim_, out);
    if (!normalise_) return;
    const double squares = dot_(out, out, filled());
    if (squares == 0.0) return;
    const double length = std::sqrt(squares);
    // As rows of float32 are that were normalised when they were stored.
    for (std::size_t at = 0; at < dim_; ++at) out[at] = static_cast<float>(out[at] / length);
}

ExactScorer::ExactScorer(Measure measure, Datatype datatype, Level level, const float* queries, std::size_t count,
                         std::size_t dim)
    : measure_(measure),
      widener_(measure, datatype, level, dim),
      sum_(sum_of(functions_at(level), measure)),
      queries_(count * widener_.filled()) {
    for (std::size_t query = 0; query < count; ++query)
        std::copy_n(queries + query * dim, dim, queries_.data() + query * widener_.filled());
}

}  // namespace headwater
