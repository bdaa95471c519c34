// The body of an upsert as most are: {"points": [{"id": 1, "vector": [0.5], "payload": {}}]}.
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

// The points, each with an id, a vector of [dim] numbers and maybe a payload, of which only the end was looked for.
// Nothing where there is anything else, or anything wrong.
std::optional<ReadPoints> read_points(std::string_view body, std::size_t dim);

}  // namespace headwater
