// Sparse vectors: the largest inner products of a query with rows, by inverted lists or row by row. Products are added
// up in float64 in the order of the query's terms, so that equal vectors score equal whichever way they are found.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "best.hpp"
#include "chosen.hpp"

namespace headwater {

// Postings that don't fit the rows: the file is damaged.
struct DamagedPostings : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Of each of [count] terms, ascending, the rows that have it, ascending, and their values: [starts[i], starts[i + 1]).
struct Postings {
    const std::uint32_t* terms = nullptr;
    const std::int64_t* starts = nullptr;
    std::size_t count = 0;
    const std::uint32_t* rows = nullptr;
    const float* values = nullptr;
    std::size_t size = 0;
};

// A term and what it weighs, or a row's pair.
struct Term {
    std::uint32_t index;
    double weight;
};

struct Pair {
    std::uint32_t index;
    float value;
};

// Each row's pairs by index: [ends[row], ends[row + 1]).
struct SparseRows {
    const Pair* pairs = nullptr;
    std::size_t size = 0;
    const std::int64_t* ends = nullptr;
    std::size_t count = 0;
};

// How many rows have each of [count] terms, of those that are [allowed], to [out]; nullptr: of all. [rows]: how many
// there are. Throws DamagedPostings.
void count_rows(const Postings& postings, const std::uint32_t* terms, std::size_t count, std::size_t rows,
                const bool* allowed, std::int64_t* out);

// The rows with the largest products among those that have any of [query]'s terms, at least [wanted] of them where
// there are so many, and all that are as near as the last. [query]: by index. Throws DamagedPostings.
std::vector<Scored> sparse_nearest(const Postings& postings, const std::vector<Term>& query, std::size_t wanted,
                                   std::size_t rows, const bool* allowed);

// The products of chosen rows, to [out]: no number for those that have none of the terms. Throws DamagedPostings.
void sparse_scores(const SparseRows& rows, const std::vector<Term>& query, const Chosen& chosen, float* out);

}  // namespace headwater
