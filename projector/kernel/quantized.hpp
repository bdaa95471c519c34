// Distances between a prepared query and rows of codes, for each form of codes that projector/quantization makes.
//
// What a row stands for is its kind's concern; here it is bytes, and a query a run of bytes that says what they weigh:
//
// bytes   row: float scale, float offset, u8 codes [n]
//         query: float constant, float inner, float factor, 4 unused bytes, i8 weights [n], from -127 on
//         constant + offset + scale * (inner + factor * sum of code * weight)
// nibbles row: float scale, float offset, u8 [n]: a code in the low half, and n codes later one in the high half
//         query: as above, i8 weights [2 n]
// planes  row: float scale, float offset, bits as u64 [words]
//         query: float constant, float inner, u32 groups, u32 planes, then of each group u32 words, float low,
//         float step, 4 unused bytes, then u64 [words of all groups][planes]
//         constant + offset + scale * (inner + sum over groups of low * bits that are set + step * their weights'),
//         where plane p has bit p of each bit's weight
// lookup  row: u8 codes [n]
//         query: float constant, 12 unused bytes, float table [n][256]
//         constant + sum of table[i][code i]
#pragma once

#include <cstddef>
#include <cstdint>

#include "distance.hpp"

namespace headwater {

enum class Form { bytes, nibbles, planes, lookup };

// Of rows of [width] bytes; the dim that they are called with is that width.
Distances coded_distances(Form form, Level level);

// Whether a query of [length] bytes is one for rows of [width] bytes.
bool fits(Form form, std::size_t width, const void* query, std::size_t length);

}  // namespace headwater
