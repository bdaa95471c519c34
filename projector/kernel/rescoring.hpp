// What follows a walk: rows that are in no graph beside those that stand for them, what may not be found left out, and
// exact scores of what may be among the nearest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "best.hpp"
#include "code_bounds.hpp"
#include "scan.hpp"
#include "walk.hpp"

namespace headwater {

// Groups of equal rows, of which only the first is in the graph: [firsts], ascending. [rows]: each group's others,
// ascending, one group after another; [ends]: where each ends in them.
struct Repeats {
    const std::uint32_t* firsts = nullptr;
    const std::uint32_t* ends = nullptr;
    const std::uint32_t* rows = nullptr;
    std::size_t groups = 0;
    std::size_t count = 0;  // of [rows]
};

// Which of [size] rows may be found: those of a [mask]; or those in whose slot nothing died up to [at]. [slots]: by
// row, nullptr where a row's slot is its number; [dead_at]: by slot, of which there are [died].
struct Passing {
    std::size_t size = 0;
    const bool* mask = nullptr;
    const std::uint64_t* dead_at = nullptr;
    const std::uint32_t* slots = nullptr;
    std::size_t died = 0;
    std::uint64_t at = 0;

    // Throws std::out_of_range for what isn't there.
    bool has(std::uint32_t row) const;
};

// What a graph's rows are compared by exactly.
struct Rescoring {
    Matrix matrix;
    Measure measure = Measure::cosine;
    Level level = Level::baseline;
    Repeats repeats;
};

// What a walk found, rows nearest first, and beside each the repeats of it, all as far as they pass (nullptr: all do);
// of the repeats of one row the [most] lowest. Throws std::out_of_range for what isn't there.
std::vector<Found> spread(const Rescoring& rescoring, const std::vector<Found>& walked, const Passing* passing,
                          std::size_t most);

// Of what a walk found, spread, the nearest by their exact scores: [wanted] and all that are as near as the last of
// them, by row; none where fewer pass. Distances are as rough as float32 is.
std::vector<Scored> rescored(const Rescoring& rescoring, const float* query, const std::vector<Found>& walked,
                             const Passing* passing, std::size_t wanted);

// The same where distances are by codes, and off by no more than their [bounds].
std::vector<Scored> rescored(const Rescoring& rescoring, const float* query, const std::vector<Found>& walked,
                             const Passing* passing, std::size_t wanted, const CodeBounds& bounds);

// The same of the [kept] nearest of what passes, wherever exact scores would have these; none where fewer pass.
std::vector<Scored> rescored_of(std::size_t kept, const Rescoring& rescoring, const float* query,
                                const std::vector<Found>& walked, const Passing* passing, std::size_t wanted);

}  // namespace headwater
