#include "search_codes.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "code_heads.hpp"

namespace headwater {
namespace {

constexpr int most = 127;
constexpr std::uint8_t middle = 128;
constexpr double largest = 1e15;
constexpr double most_added = 1e36;  // well below what float32 has
constexpr double smallest = 1e-30;  // what is below counts as nothing

double size_of(const double* values, std::size_t count) {
    double size = 0.0;
    for (std::size_t at = 0; at < count; ++at) size = std::max(size, std::abs(values[at]));
    return size;
}

}  // namespace

void encode(const float* rows, std::size_t count, std::size_t dim, const float* centre, bool squared,
            std::uint8_t* out, CodeSizes& sizes) {
    std::vector<double> values(dim);
    for (std::size_t row = 0; row < count; ++row, rows += dim, out += row_head + dim) {
        for (std::size_t at = 0; at < dim; ++at) values[at] = static_cast<double>(rows[at]) - centre[at];
        const double size = size_of(values.data(), dim);
        const float scale = size < smallest ? 1.0F : static_cast<float>(size / most);
        double error = 0.0, length = 0.0;
        for (std::size_t at = 0; at < dim; ++at) {
            const long code = std::clamp(std::lrint(values[at] / scale), -static_cast<long>(most), static_cast<long>(most));
            const double meant = static_cast<double>(code) * scale;
            error += (values[at] - meant) * (values[at] - meant);
            length += meant * meant;
            out[row_head + at] = static_cast<std::uint8_t>(code + middle);
        }
        const RowHead head{scale, squared ? static_cast<float>(length) : 0.0F};
        std::memcpy(out, &head, sizeof head);
        sizes.error = std::max(sizes.error, std::sqrt(error));
        sizes.length = std::max(sizes.length, std::sqrt(length));
        sizes.scale = std::max(sizes.scale, static_cast<double>(scale));
    }
}

std::optional<CodedQuery> coded(const SearchCodes& codes, const float* query) {
    const bool squared = codes.measure == Measure::euclid;
    const std::size_t dim = codes.dim;
    std::vector<double> values(dim);
    double central = 0.0;  // the product with the centre
    double products = 0.0;  // the sizes of what that adds up
    for (std::size_t at = 0; at < dim; ++at) {
        values[at] = query[at];
        if (squared) {
            values[at] -= codes.centre[at];
        } else {
            const double product = values[at] * codes.centre[at];
            central += product;
            products += std::abs(product);
        }
    }
    const double size = size_of(values.data(), dim);
    if (!(size <= largest)) return std::nullopt;
    const double step = size < smallest ? 1.0 : size / most;
    CodedQuery found;
    found.bytes.resize(query_head + dim);
    double own = 0.0, error = 0.0, weights = 0.0, sizes = 0.0;
    for (std::size_t at = 0; at < dim; ++at) {
        const long weight = std::lrint(values[at] / step);
        const double left = values[at] - static_cast<double>(weight) * step;
        found.bytes[query_head + at] = static_cast<std::uint8_t>(static_cast<std::int8_t>(weight));
        own += values[at] * values[at];
        error += left * left;
        weights += static_cast<double>(weight);
        sizes += std::abs(static_cast<double>(weight));
    }
    own = std::sqrt(own);
    error = std::sqrt(error);
    // The sum of code * weight is to be one of (code - middle) * weight.
    const double each = squared ? 2.0 * step : step;
    const BytesHead head{static_cast<float>(squared ? own * own : 1.0 - central),
                         static_cast<float>(each * middle * weights), static_cast<float>(-each), 0};
    std::memcpy(found.bytes.data(), &head, sizeof head);
    const CodeSizes& rows = codes.sizes;
    // What is added up in float32: each of a few sums is rounded to a part in 2^24 of the largest number in it.
    const double added = rows.scale * (std::abs(each * middle * weights) + each * 255.0 * sizes);
    const double rounding = 0x1p-21 * (std::abs(static_cast<double>(head.constant)) + 1.0 + added +
                                       (squared ? rows.length * rows.length : own * rows.length));
    if (squared) {
        found.bounds.length = rows.error;
        found.bounds.distance = 2.0 * error * rows.length + rounding;
    } else {
        // Products that are added up to far less than they are leave what float64 rounds, in exact scores as well.
        const double lost = 0x1p-52 * (static_cast<double>(dim) + 8.0) * (products + own * (rows.length + rows.error));
        found.bounds.distance = own * rows.error + error * rows.length + rounding + lost;
    }
    if (!(found.bounds.distance + added < most_added)) return std::nullopt;
    return found;
}

}  // namespace headwater
