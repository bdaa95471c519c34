// Multivectors by max_sim: for each of the query's vectors the most similar one of a row, added up. Under euclid what
// is added up is the squared distance to the nearest one, and the score is the root of that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "best.hpp"
#include "chosen.hpp"
#include "scan.hpp"

namespace headwater {

// Ends that don't fit the vectors: the file is damaged.
struct DamagedEnds : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Each row's vectors: [ends[row], ends[row + 1]).
struct MultiRows {
    Matrix vectors;
    const std::int64_t* ends = nullptr;
    std::size_t count = 0;
};

// [queries]: [count] times the dim of the rows. As nearest and scores do. Throw DamagedEnds.
std::vector<Scored> max_sim_nearest(const MultiRows& rows, Measure measure, Level level, const float* queries,
                                    std::size_t count, std::size_t wanted, const Chosen& chosen);
void max_sim_scores(const MultiRows& rows, Measure measure, Level level, const float* queries, std::size_t count,
                    const Chosen& chosen, float* out);

}  // namespace headwater
