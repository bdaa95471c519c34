#include "product.hpp"

#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__linux__)
#define WIDEST __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define WIDEST
#endif

namespace headwater {
namespace {

constexpr std::size_t lanes = 8;

WIDEST void squared_to_all(const float* chunk, const float* query, std::size_t width, float* distances) {
    for (std::size_t at = 0; at < centroids; ++at) distances[at] = 0.0f;
    for (std::size_t value = 0; value < width; ++value) {
        const float wanted = query[value];
        const float* row = chunk + value * centroids;
        for (std::size_t at = 0; at < centroids; ++at) {
            const float difference = row[at] - wanted;
            distances[at] += difference * difference;
        }
    }
}

WIDEST void dots_with_all(const float* chunk, const float* query, std::size_t width, float* distances) {
    for (std::size_t at = 0; at < centroids; ++at) distances[at] = 0.0f;
    for (std::size_t value = 0; value < width; ++value) {
        const float wanted = query[value];
        const float* row = chunk + value * centroids;
        for (std::size_t at = 0; at < centroids; ++at) distances[at] -= row[at] * wanted;
    }
}

using Floats = float __attribute__((vector_size(4 * lanes)));
using Places = std::int32_t __attribute__((vector_size(4 * lanes)));

WIDEST std::uint8_t place_of_least(const float* distances) {
    Floats best;
    Places places, place;
    for (std::size_t lane = 0; lane < lanes; ++lane) place[lane] = static_cast<std::int32_t>(lane);
    std::memcpy(&best, distances, sizeof best);
    places = place;
    for (std::size_t at = lanes; at < centroids; at += lanes) {
        Floats next;
        std::memcpy(&next, distances + at, sizeof next);
        place += static_cast<std::int32_t>(lanes);
        const Places less = next < best;
        best = less ? next : best;
        places = less ? place : places;
    }
    std::size_t least = 0;
    for (std::size_t lane = 1; lane < lanes; ++lane)
        if (best[lane] < best[least] || (best[lane] == best[least] && places[lane] < places[least])) least = lane;
    return static_cast<std::uint8_t>(places[least]);
}

}  // namespace

void nearest_centroids(const Codebook& codebook, const float* row, std::uint8_t* codes) {
    float distances[centroids];
    for (std::size_t chunk = 0; chunk < codebook.chunks; ++chunk) {
        const std::size_t start = chunk * codebook.width;
        squared_to_all(codebook.values + start * centroids, row + start, codebook.width, distances);
        codes[chunk] = place_of_least(distances);
    }
}

void centroid_table(const Codebook& codebook, const float* query, bool squared, float* table) {
    for (std::size_t chunk = 0; chunk < codebook.chunks; ++chunk) {
        const std::size_t start = chunk * codebook.width;
        const auto fill = squared ? squared_to_all : dots_with_all;
        fill(codebook.values + start * centroids, query + start, codebook.width, table + chunk * centroids);
    }
}

}  // namespace headwater
