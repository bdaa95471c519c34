#include "search_codes.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "code_heads.hpp"

namespace headwater {
namespace {

constexpr double largest = 1e15;
constexpr double most_added = 1e36;  // well below what float32 has

double size_of(const double* values, std::size_t count) {
    double size = 0.0;
    for (std::size_t at = 0; at < count; ++at) size = std::max(size, std::abs(values[at]));
    return size;
}

}  // namespace

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
    const double step = size < smallest_size ? 1.0 : size / most_code;
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
                         static_cast<float>(each * middle_code * weights), static_cast<float>(-each), 0};
    std::memcpy(found.bytes.data(), &head, sizeof head);
    const CodeSizes& rows = codes.sizes;
    // What is added up in float32: each of a few sums is rounded to a part in 2^24 of the largest number in it.
    const double added = rows.scale * (std::abs(each * middle_code * weights) + each * 255.0 * sizes);
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
