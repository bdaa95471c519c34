// Comparing all rows, or those that may be found, with a query: exactly, in one pass.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "best.hpp"
#include "chosen.hpp"
#include "code_block.hpp"
#include "code_bounds.hpp"
#include "exact.hpp"

namespace headwater {

// Vectors as they lie in memory: [size] rows of [dim] values, each [stride] bytes after the one before.
struct Matrix {
    const std::uint8_t* data = nullptr;
    std::size_t size = 0;
    std::size_t dim = 0;
    std::size_t stride = 0;
    Datatype datatype = Datatype::float32;

    const void* row(std::size_t number) const { return data + number * stride; }

    // Ask for a row that will be looked at soon. Always inline: a function that does nothing else is taken for one that
    // does nothing, and calls of it are left out.
    __attribute__((always_inline)) void prefetch(std::size_t number) const {
        constexpr std::size_t cache_line = 64, most = 8 * cache_line;  // the processor goes on by itself
        const std::uint8_t* bytes = data + number * stride;
        const std::size_t length = std::min(stride, most);
        for (std::size_t at = 0; at < length; at += cache_line) __builtin_prefetch(bytes + at);
    }
};

// Codes of all rows, which tell which of them need not be compared: [codes] have the bytes of a row as their [dim].
struct ScanCodes {
    Matrix codes;
    BlockFunctions near;
    const void* query = nullptr;
    CodeBounds bounds;
};

// A matrix, and which of its rows are compared.
struct Scan {
    Matrix matrix;
    Chosen chosen;
    const ScanCodes* codes = nullptr;  // nullptr: there are none
};

// One search for the nearest rows of some scans together: what is near in one tells what is too far in the next. Several
// threads may do it together: each takes of the rows that are left.
struct Search {
    Measure measure = Measure::cosine;
    Level level = Level::baseline;
    const float* query = nullptr;
    std::size_t wanted = 0;
    std::vector<Scan> scans;
    std::atomic<std::size_t> next{0};  // the piece that nobody has taken yet
};

// Of how many threads each has something to do.
std::size_t parts_of(const std::vector<Scan>& scans);

// Compare rows with what is [best] already, which is for [wanted]. They are taken until none are left.
void compare_left(Search& search, Best& best);

// That of all chosen rows, by one thread.
std::vector<Scored> nearest(const Matrix& matrix, Measure measure, Level level, const float* query, std::size_t wanted,
                            const Chosen& chosen);

// The scores of each of [count] queries with all chosen rows, one query's after another's, to [out].
void scores(const Matrix& matrix, Measure measure, Level level, const float* queries, std::size_t count,
            const Chosen& chosen, std::size_t rows, float* out);

}  // namespace headwater
