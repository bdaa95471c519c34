// Product quantization (Jégou, Douze and Schmid 2011): a vector is cut into chunks, each told as the nearest of 256.
#pragma once

#include <cstddef>
#include <cstdint>

namespace headwater {

constexpr std::size_t centroids = 256;

// For each of [chunks], 256 centroids of [width] values each, as float [chunks][width][256].
struct Codebook {
    const float* values = nullptr;
    std::size_t chunks = 0;
    std::size_t width = 0;
};

// Write the numbers of the centroids nearest to a row's chunks, the first of equally near ones, to u8 [chunks].
void nearest_centroids(const Codebook& codebook, const float* row, std::uint8_t* codes);

// Write what each centroid adds to the distance of a query, to float [chunks][256]: the squared length of the
// difference, or less its dot product.
void centroid_table(const Codebook& codebook, const float* query, bool squared, float* table);

}  // namespace headwater
