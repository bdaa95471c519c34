#include "coded_scan.hpp"

#include <algorithm>
#include <cmath>

namespace headwater {

CodedScan::CodedScan(const Search& search, const Scan& scan)
    : scan_(scan), codes_(*scan.codes), measure_(search.measure), wanted_(search.wanted) {}

void CodedScan::know(double nearness) {
    if (nearness <= known_) return;
    known_ = nearness;
    limit_ = float_limit(codes_.bounds.limit(measure_, nearness));
}

void CodedScan::compare(std::size_t from, std::size_t to) {
    // Where this share of them is chosen, to look at all in order is no slower than to pick them. Measured with 200,000
    // rows of 100 values, of which what is picked comes from memory; of 20,000 it is two thirds.
    constexpr std::size_t share = 2, of = 5;
    const Chosen& chosen = scan_.chosen;
    const std::size_t asked = chosen.by == Chosen::By::mask ? chosen.count(from, to) : to - from;
    asked_ += asked;
    if (chosen.by != Chosen::By::list && asked * of >= (to - from) * share)
        compare_in_order(from, to);
    else
        chosen.each(from, to, [&](const std::uint32_t* rows, std::size_t count) { compare_rows(rows, count); });
}

void CodedScan::compare_in_order(std::size_t from, std::size_t to) {
    const Matrix& codes = codes_.codes;
    float distances[block_rows];
    for (std::size_t at = from; at < to; at += block_rows) {
        const std::size_t count = std::min(block_rows, to - at);
        std::uint64_t chosen = ~std::uint64_t{0} >> (block_rows - count);
        if (scan_.chosen.by == Chosen::By::mask) chosen = scan_.chosen.bits(at, count);
        std::uint64_t near = codes_.near.in_order(codes.data + at * codes.stride, codes.stride, count, codes_.query,
                                                  codes.dim, limit_, distances);
        for (near &= chosen; near != 0; near &= near - 1) {
            const auto lane = static_cast<std::size_t>(__builtin_ctzll(near));
            take(static_cast<std::uint32_t>(at + lane), distances[lane]);
        }
    }
}

void CodedScan::compare_rows(const std::uint32_t* rows, std::size_t count) {
    const Matrix& codes = codes_.codes;
    const std::uint8_t* pointers[Chosen::most];
    float distances[block_rows];
    for (std::size_t at = 0; at < count; ++at) pointers[at] = codes.data + rows[at] * codes.stride;
    for (std::size_t at = 0; at < count; at += block_rows) {
        std::uint64_t near = codes_.near.of_rows(pointers + at, std::min(block_rows, count - at), count - at,
                                                 codes_.query, codes.dim, limit_, distances);
        for (; near != 0; near &= near - 1) {
            const auto lane = static_cast<std::size_t>(__builtin_ctzll(near));
            take(rows[at + lane], distances[lane]);
        }
    }
}

void CodedScan::take(std::uint32_t row, float distance) {
    if (is_beyond(distance, limit_)) return;
    kept_.push_back({distance, row});
    if (!(std::abs(distance) <= std::numeric_limits<float>::max())) return;
    if (nearest_.size() == wanted_) {
        if (distance >= nearest_.front()) return;
        std::pop_heap(nearest_.begin(), nearest_.end());
        nearest_.back() = distance;
    } else {
        nearest_.push_back(distance);
    }
    std::push_heap(nearest_.begin(), nearest_.end());
    if (nearest_.size() == wanted_) know(codes_.bounds.nearness(measure_, nearest_.front()));
}

void CodedScan::drop() {
    const auto beyond = [this](const Kept& kept) { return is_beyond(kept.distance, limit_); };
    kept_.erase(std::remove_if(kept_.begin(), kept_.end(), beyond), kept_.end());
}

bool CodedScan::in_vain() {
    constexpr std::size_t least = 1024, each = 8, worth = 3;
    if (asked_ < std::max(least, each * wanted_) || kept_.size() * worth <= asked_) return false;
    drop();
    return kept_.size() * worth > asked_;
}

}  // namespace headwater
