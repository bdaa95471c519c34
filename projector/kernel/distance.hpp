// Distances between a query, float32 [dim], and rows of any datatype, by the widest instructions of the processor.
#pragma once

#include <cstddef>

namespace headwater {

enum class Metric { dot, squared };  // 1 - dot product; squared length of the difference. hnswlib's, smaller is nearer.
enum class Datatype { float32, float16, uint8 };
enum class Level { baseline, avx2, avx512 };  // on ARM the baseline has NEON

// [out]: of each of [count] rows, which may lie anywhere, the distance; it depends neither on those beside it nor on the
// instructions.
using Distances = void (*)(const void* const* rows, std::size_t count, const void* query, std::size_t dim, float* out);

bool supported(Level level);
Level best_level();
Distances distances_of(Metric metric, Datatype datatype, Level level);

}  // namespace headwater
