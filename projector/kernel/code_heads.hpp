// What rows of codes and queries for them begin with (quantized.hpp), and how a distance is made of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace headwater {

constexpr std::size_t row_head = 8;     // bytes of a row before its codes
constexpr std::size_t query_head = 16;  // and of a query before its weights

struct RowHead {
    float scale;
    float offset;
};

// Of a query for bytes or nibbles.
struct BytesHead {
    float constant;
    float inner;
    float factor;
    std::uint32_t unused;
};

static_assert(sizeof(RowHead) == row_head && sizeof(BytesHead) == query_head);

template <class T>
T read(const void* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

inline const std::uint8_t* bytes_at(const void* from, std::size_t at) {
    return static_cast<const std::uint8_t*>(from) + at;
}

}  // namespace headwater
