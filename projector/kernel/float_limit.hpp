// Limits of distances in float32, computed in float64.
#pragma once

#include <cmath>
#include <limits>

namespace headwater {

// The least float32 that is not below [limit].
inline float float_limit(double limit) {
    const auto nearest = static_cast<float>(limit);
    return nearest < limit ? std::nextafter(nearest, std::numeric_limits<float>::infinity()) : nearest;
}

// Whether a distance is above a limit. What is infinite or no number is beyond float32, and tells nothing. Both are
// compared always, so that many distances are without branches.
inline bool is_beyond(float distance, float limit) {
    return static_cast<int>(distance > limit) & static_cast<int>(distance <= std::numeric_limits<float>::max());
}

}  // namespace headwater
