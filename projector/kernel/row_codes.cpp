#include "row_codes.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "code_heads.hpp"
#include "exact.hpp"
#include "instructions.hpp"

namespace headwater {
namespace {

// What a row's codes stand for, as squares.
struct Squares {
    double error;
    double length;
};

struct Functions {
    // [values]: a row's, less the centre's. The size of the largest.
    double (*centred)(const float* row, const float* centre, std::size_t dim, double* values, std::size_t filled);
    // [values] to codes on a scale.
    Squares (*encoded)(const double* values, std::size_t filled, double scale, std::size_t dim, std::uint64_t* wide,
                       std::uint8_t* codes);
};

#define LANES_FILE "row_codes_lanes.hpp"
#include "every_level.hpp"
#undef LANES_FILE
#include "functions_at.hpp"

}  // namespace

void encode(const float* rows, std::size_t count, std::size_t dim, const float* centre, bool squared, Level level,
            std::uint8_t* out, CodeSizes& sizes) {
    const Functions& functions = functions_at(level);
    const std::size_t filled = filled_up(dim);
    std::vector<double> values(filled);
    std::vector<std::uint64_t> wide(filled);
    Squares most{0.0, 0.0};
    for (std::size_t row = 0; row < count; ++row, rows += dim, out += row_head + dim) {
        const double size = functions.centred(rows, centre, dim, values.data(), filled);
        const float scale = size < smallest_size ? 1.0F : static_cast<float>(size / most_code);
        const Squares squares = functions.encoded(values.data(), filled, scale, dim, wide.data(), out + row_head);
        const RowHead head{scale, squared ? static_cast<float>(squares.length) : 0.0F};
        std::memcpy(out, &head, sizeof head);
        most.error = std::max(most.error, squares.error);
        most.length = std::max(most.length, squares.length);
        sizes.scale = std::max(sizes.scale, static_cast<double>(scale));
    }
    sizes.error = std::max(sizes.error, std::sqrt(most.error));
    sizes.length = std::max(sizes.length, std::sqrt(most.length));
}

}  // namespace headwater
