// How far off a distance by codes may be.
#pragma once

#include <algorithm>
#include <cmath>

#include "exact.hpp"

namespace headwater {

// The root of a squared length is off by at most [length], and a distance, beside that, by at most [distance].
struct CodeBounds {
    double length = 0.0;
    double distance = 0.0;

    static constexpr double rounding = 0x1p-22;  // of a nearness in float32

    // Rows whose distance by codes is above this are farther away than one of that [nearness].
    double limit(Measure measure, double nearness) const {
        if (measure == Measure::euclid) {
            const double farthest = -nearness * (1.0 + rounding) + length;
            return farthest * farthest + distance;
        }
        return 1.0 - nearness + std::abs(nearness) * rounding + distance;
    }

    // A row has at least this nearness, whose distance by codes is [coded].
    double nearness(Measure measure, double coded) const {
        if (measure == Measure::euclid)
            return -(std::sqrt(std::max(0.0, coded + distance)) + length) * (1.0 + rounding);
        const double least = 1.0 - coded - distance;
        return least - std::abs(least) * rounding;
    }
};

}  // namespace headwater
