// Codes that tell of most rows that they aren't among the nearest: a byte a value, each row on a scale of its own,
// counted from a centre on. How far off a distance by them may be is known, so that what is found beside the rows
// themselves is the same with and without codes. Rows are of the form "bytes" (quantized.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "row_codes.hpp"
#include "scan.hpp"

namespace headwater {

struct SearchCodes {
    Matrix rows;  // uint8 [rows, row_head + dim]
    BlockFunctions near;
    std::size_t dim = 0;
    const float* centre = nullptr;
    CodeSizes sizes;
    Measure measure = Measure::cosine;
};

struct CodedQuery {
    std::vector<std::uint8_t> bytes;  // as the form "bytes" has it
    CodeBounds bounds;
};

// A query as a scan takes it, beside [codes], which are kept for as long.
struct ScannedCodes {
    ScannedCodes(const SearchCodes& codes, CodedQuery prepared) : query(std::move(prepared)) {
        scan.codes = codes.rows;
        scan.near = codes.near;
        scan.query = query.bytes.data();
        scan.bounds = query.bounds;
    }
    ScannedCodes(const ScannedCodes&) = delete;
    ScannedCodes& operator=(const ScannedCodes&) = delete;

    CodedQuery query;
    ScanCodes scan;
};

// A query, float32 [dim]; none where its numbers are beyond what float32 can add up.
std::optional<CodedQuery> coded(const SearchCodes& codes, const float* query);

}  // namespace headwater
