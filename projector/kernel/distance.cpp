#include "distance.hpp"

#include <cstdint>
#include <cstring>
#include <stdexcept>

#include "half.hpp"
#include "instructions.hpp"

namespace headwater {
namespace {

// How many sums there are of a row, one of every sixteenth number: as many as the widest register holds.
constexpr std::size_t distance_lanes = 16;
// From [distance_lanes - n] on, of so many numbers the last n.
constexpr std::int32_t last_lanes[2 * distance_lanes] = {0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
                                                         -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};

using ByDatatype = Distances[3];

#define LANES_FILE "distance_lanes.hpp"
#include "every_level.hpp"
#undef LANES_FILE
#include "functions_at.hpp"

}  // namespace

bool supported(Level level) {
    if (level == Level::baseline) return true;
#ifdef HEADWATER_X86
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    if (level == Level::avx2) return avx2;
    return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl");
#else
    return false;
#endif
}

Level best_level() {
    if (supported(Level::avx512)) return Level::avx512;
    return supported(Level::avx2) ? Level::avx2 : Level::baseline;
}

Distances distances_of(Metric metric, Datatype datatype, Level level) {
    return functions_at(level)[static_cast<std::size_t>(metric)][static_cast<std::size_t>(datatype)];
}

}  // namespace headwater
