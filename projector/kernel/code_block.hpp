// Which rows of codes of the form "bytes" (quantized.hpp) are near enough, many at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "distance.hpp"

namespace headwater {

constexpr std::size_t block_rows = 64;

// Of at most [block_rows] rows of [width] bytes a bit for each whose distance from [query] isn't above [limit], or is
// infinite or no number, which tells nothing. [distances], [block_rows] of them, has theirs; they don't depend on the
// instructions.
using BlockInOrder = std::uint64_t (*)(const std::uint8_t* first, std::size_t stride, std::size_t count,
                                       const void* query, std::size_t width, float limit, float* distances);
// The same of rows that lie anywhere; of [known], at least [count] of them, those that follow are asked for.
using BlockOfRows = std::uint64_t (*)(const std::uint8_t* const* rows, std::size_t count, std::size_t known,
                                      const void* query, std::size_t width, float limit, float* distances);

struct BlockFunctions {
    BlockInOrder in_order = nullptr;
    BlockOfRows of_rows = nullptr;
};

// Throws std::invalid_argument for instructions that the processor lacks.
BlockFunctions block_functions(Level level);

}  // namespace headwater
