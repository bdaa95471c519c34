// How far off a distance by codes may be.
#pragma once

#include "exact.hpp"

namespace headwater {

// The root of a squared length is off by at most [length], and a distance, beside that, by at most [distance].
struct CodeBounds {
    double length = 0.0;
    double distance = 0.0;

    // Rows whose distance by codes is above this are farther away than one of that [nearness].
    double limit(Measure measure, double nearness) const {
        constexpr double rounding = 0x1p-22;
        if (measure == Measure::euclid) {
            const double farthest = -nearness * (1.0 + rounding) + length;
            return farthest * farthest + distance;
        }
        return 1.0 - nearness + (nearness < 0 ? -nearness : nearness) * rounding + distance;
    }
};

}  // namespace headwater
