#include "rescoring.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace headwater {
namespace {

constexpr double rounding = 5e-7;

double squares(const double* values, std::size_t count) {
    double sum = 0.0;
    for (std::size_t at = 0; at < count; ++at) sum += values[at] * values[at];
    return sum;
}

// How far a sum in float32 may be off near [distance], which is that of a row.
double tolerance(const Rescoring& rescoring, const float* query, const Found& found) {
    const auto& [matrix, measure, level, repeats] = rescoring;
    double scale = std::abs(static_cast<double>(found.distance));
    if (measure == Measure::cosine) scale = 1.0;
    if (measure == Measure::dot) {
        Widener widener(measure, matrix.datatype, level, matrix.dim);
        double own = 0.0;
        for (std::size_t at = 0; at < matrix.dim; ++at) own += static_cast<double>(query[at]) * query[at];
        // The walk's distance is 1 less the product.
        scale = std::max(1.0, std::sqrt(own * squares(widener.take(matrix.row(found.row)), widener.filled())));
    }
    return rounding * (4.0 + std::sqrt(static_cast<double>(matrix.dim))) * scale;
}

void spread_one(const Found& found, const Repeats& repeats, const Passing* passing, std::size_t most,
                std::vector<Found>& out) {
    if (passing == nullptr || passing->has(found.row)) out.push_back(found);
    const std::uint32_t* last = repeats.firsts + repeats.groups;
    const std::uint32_t* group = std::lower_bound(repeats.firsts, last, found.row);
    if (group == last || *group != found.row) return;
    const auto number = static_cast<std::size_t>(group - repeats.firsts);
    const std::size_t end = repeats.ends[number];
    if (end > repeats.count) throw std::out_of_range("a group ends behind the repeats");
    for (std::size_t at = number == 0 ? 0 : repeats.ends[number - 1]; at < end && most > 0; ++at) {
        const std::uint32_t row = repeats.rows[at];
        if (passing != nullptr && !passing->has(row)) continue;
        out.push_back({found.distance, row});
        --most;
    }
}

std::vector<Scored> compared_exactly(const Rescoring& rescoring, const float* query, const std::vector<Found>& some,
                                     std::size_t wanted) {
    const Matrix& matrix = rescoring.matrix;
    std::vector<std::int64_t> rows;
    rows.reserve(some.size());
    for (const Found& one : some) {
        if (one.row >= matrix.size) throw std::out_of_range("there is no such row");
        rows.push_back(one.row);
    }
    Chosen chosen;
    chosen.size = matrix.size;
    chosen.by = Chosen::By::list;
    chosen.list = rows.data();
    chosen.listed = rows.size();
    return nearest(matrix, rescoring.measure, rescoring.level, query, wanted, chosen);
}

}  // namespace

bool Passing::has(std::uint32_t row) const {
    if (row >= size) throw std::out_of_range("there is no such row");
    if (mask != nullptr) return mask[row];
    const std::size_t slot = slots == nullptr ? row : slots[row];
    if (slot >= died) throw std::out_of_range("a row is of no slot");
    return dead_at[slot] > at;
}

std::vector<Found> spread(const Rescoring& rescoring, const std::vector<Found>& walked, const Passing* passing,
                          std::size_t most) {
    std::vector<Found> near;
    near.reserve(walked.size());
    for (const Found& one : walked) spread_one(one, rescoring.repeats, passing, most, near);
    for (const Found& one : near)
        if (one.row >= rescoring.matrix.size) throw std::out_of_range("there is no such row");
    return near;
}

std::vector<Scored> rescored(const Rescoring& rescoring, const float* query, const std::vector<Found>& walked,
                             const Passing* passing, std::size_t wanted) {
    if (wanted == 0) return {};
    const Matrix& matrix = rescoring.matrix;
    std::vector<Found> near;
    double limit = std::numeric_limits<double>::infinity();
    for (const Found& found : walked) {
        if (found.distance > limit) break;
        const bool enough = near.size() >= wanted;
        spread_one(found, rescoring.repeats, passing, wanted, near);
        if (enough || near.size() < wanted) continue;
        const Found& last = near[wanted - 1];
        if (last.row >= matrix.size) throw std::out_of_range("there is no such row");
        limit = static_cast<double>(last.distance) + tolerance(rescoring, query, last);
    }
    if (near.size() < wanted) return {};
    return compared_exactly(rescoring, query, near, wanted);
}

std::vector<Scored> rescored_of(std::size_t kept, const Rescoring& rescoring, const float* query,
                                const std::vector<Found>& walked, const Passing* passing, std::size_t wanted) {
    std::vector<Found> near;
    for (const Found& found : walked) {
        if (near.size() >= kept) break;
        spread_one(found, rescoring.repeats, passing, kept - near.size(), near);
    }
    if (near.size() < kept) return {};
    near.resize(kept);
    return compared_exactly(rescoring, query, near, wanted);
}

std::vector<Scored> rescored(const Rescoring& rescoring, const float* query, const std::vector<Found>& walked,
                             const Passing* passing, std::size_t wanted, const CodeBounds& bounds) {
    if (wanted == 0) return {};
    const auto& [matrix, measure, level, repeats] = rescoring;
    // About as many as will be compared; what is asked for in vain costs little.
    for (std::size_t at = 0; at < std::min(walked.size(), 2 * wanted + 8); ++at)
        if (walked[at].row < matrix.size) matrix.prefetch(walked[at].row);
    Best best(wanted);
    ExactScorer exact(measure, matrix.datatype, level, query, 1, matrix.dim);
    std::vector<Found> same;
    double limit = std::numeric_limits<double>::infinity();
    for (const Found& found : walked) {
        if (found.distance > limit) break;
        same.clear();
        spread_one(found, repeats, passing, wanted, same);
        for (const Found& one : same) {
            if (one.row >= matrix.size) throw std::out_of_range("there is no such row");
            exact.take(matrix.row(one.row));
            const float score = exact.score(0);
            best.add(higher_is_nearer(measure) ? score : -score, one.row);
        }
        if (best.full()) limit = bounds.limit(measure, best.least());
    }
    return best.full() ? best.take() : std::vector<Scored>();
}

}  // namespace headwater
