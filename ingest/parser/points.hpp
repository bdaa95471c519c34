// Points and vectors of a JSON text as most are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace headwater {

struct ReadId {
    std::uint64_t number = 0;
    // What is between the quotes, where it is no number.
    std::optional<std::string_view> text;
};

// [vectors] are of all points, one after another; [payloads] as they came, empty for none.
struct ReadPoints {
    std::vector<ReadId> ids;
    std::vector<float> vectors;
    std::vector<std::string_view> payloads;
};

// The points of {"points": [{"id": 1, "vector": [0.5], "payload": {}}]}, each with a vector of [dim] numbers and maybe a
// payload, of which only the end was looked for. Nothing where there is anything else, or anything wrong.
std::optional<ReadPoints> read_points(std::string_view text, std::size_t dim);

// [dim] numbers in an array. False where there is anything else.
bool read_vector(std::string_view text, float* into, std::size_t dim);

// Such arrays in an array.
bool read_vectors(std::string_view text, std::size_t dim, std::vector<float>& found);

}  // namespace headwater
