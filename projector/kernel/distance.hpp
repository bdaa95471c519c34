// Distances between a query, float32 [dim], and a row of any datatype, by the widest instructions of the processor.
#pragma once

#include <cstddef>

namespace headwater {

enum class Metric { dot, squared };  // 1 - dot product; squared length of the difference. hnswlib's, smaller is nearer.
enum class Datatype { float32, float16, uint8 };
enum class Level { baseline, avx2, avx512 };  // on ARM the baseline has NEON

using Distance = float (*)(const void* row, const void* query, std::size_t dim);

bool supported(Level level);
Level best_level();
Distance distance_of(Metric metric, Datatype datatype, Level level);

}  // namespace headwater
