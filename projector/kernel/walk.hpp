// Searching a navigable small world graph (Malkov and Yashunin 2016), whose rows and links lie in arrays of others'.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <vector>

#include "distance.hpp"

namespace headwater {

constexpr std::size_t cache_line = 64;

// Vectors, [size] rows of [dim] values, or of [dim] bytes of codes, each [stride] bytes after the one before.
struct Rows {
    const std::uint8_t* data = nullptr;
    std::size_t size = 0;
    std::size_t dim = 0;
    std::size_t stride = 0;
    Distances distances = nullptr;

    const void* row(std::size_t number) const { return data + number * stride; }
    void prefetch(const void* row) const;
};

// Links of a level: [count] times a number of links, and room for [width] - 1 of them. [rows]: whose they are,
// ascending; nullptr on the lowest level, where they are every row's.
struct Links {
    const std::uint32_t* rows = nullptr;
    const std::uint32_t* links = nullptr;
    std::size_t count = 0;
    std::size_t width = 0;

    void prefetch(std::size_t place) const {
        const std::uint32_t* end = links + (place + 1) * width;
        for (const std::uint32_t* at = end - width; at < end; at += cache_line / sizeof *at) __builtin_prefetch(at);
    }
};

struct Graph {
    Rows rows;  // [most_candidates] at most
    Links base;
    std::vector<Links> upper;  // level 1 first
    std::size_t entry = 0;
};

// Links that lead outside: the file is damaged.
struct DamagedGraph : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Found {
    float distance;
    std::uint32_t row;
};

struct Walked {
    std::vector<Found> nearest;     // nearest first, by row where distances are equal
    std::uint64_t compared = 0;     // rows whose distance was computed
    bool exhausted = false;         // it was given up for the budget: what was found is not to be relied on
};

// A budget that no walk uses up.
constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

// How many of ef a walk keeps where this [share] may be found.
//
// What is met on the way and isn't allowed makes the walk longer anyway: ef * sqrt(share) have the recall of a search
// without a filter. But the nearest that pass a filter are farther away than the nearest of all, so that what is at hand
// for an ef of 128 is to be found by a filtered walk more surely: 2.4 times as many had a recall of 0.98 among 200,000
// word vectors, at shares from 0.1 to 0.5, where an unfiltered walk had 0.93. What takes little away changes little.
double kept_of_ef(double share);

// The nearest of those that are [allowed] (nullptr: all), at least [wanted] where so many can be reached. The walk
// keeps [ef] of them, and ends when no row nearer than the farthest of these is known. About [budget] rows are compared
// at most, and three tenths of that where of what is met much less is allowed than of all rows.
//
// Where not all are allowed, [kept_of_ef] times as many are kept, by the share of what was met that is allowed: that of
// this walk, not of all rows, as a filter may have much to do with how near its rows are.
Walked walk(const Graph& graph, const void* query, std::size_t wanted, std::size_t ef, const bool* allowed,
            std::uint64_t budget);

}  // namespace headwater
