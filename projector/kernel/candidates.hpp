// What a walk through a graph knows of rows: which are near, and whose links are yet to be followed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace headwater {

constexpr std::size_t most_candidates = std::size_t{1} << 31;

// One of [most_candidates] rows, how far it is, and whether its links were followed, as one number that orders by
// distance, then by row. What is no number is farthest.
class Candidate {
   public:
    Candidate() = default;
    Candidate(float distance, std::uint32_t row) : bits_(std::uint64_t{order_of(distance)} << 32 | row << 1) {}

    float distance() const {
        const auto order = static_cast<std::uint32_t>(bits_ >> 32);
        const std::uint32_t bits = order ^ (order & sign ? sign : ~std::uint32_t{0});
        float distance;
        std::memcpy(&distance, &bits, sizeof distance);
        return distance;
    }
    std::uint32_t row() const { return static_cast<std::uint32_t>(bits_) >> 1; }
    bool followed() const { return bits_ & 1; }
    void follow() { bits_ |= 1; }
    bool operator<(Candidate other) const { return bits_ < other.bits_; }

   private:
    static constexpr std::uint32_t sign = 0x80000000u;

    static std::uint32_t order_of(float distance) {
        const float one_zero = distance + 0.0f;
        std::uint32_t bits;
        std::memcpy(&bits, &one_zero, sizeof bits);
        bits ^= (bits & sign ? ~std::uint32_t{0} : sign);
        return distance == distance ? bits : std::numeric_limits<std::uint32_t>::max();
    }

    std::uint64_t bits_ = 0;
};

// The nearest of what was added, nearest first.
class SortedCandidates {
   public:
    // Begin anew, to keep [most], at least one.
    void clear(std::size_t most) {
        most_ = most;
        size_ = 0;
        if (kept_.size() < most) kept_.resize(most);
    }
    std::size_t size() const { return size_; }
    const Candidate* data() const { return kept_.data(); }
    Candidate& operator[](std::size_t place) { return kept_[place]; }
    const Candidate& operator[](std::size_t place) const { return kept_[place]; }
    bool takes(Candidate candidate) const { return size_ < most_ || candidate < kept_[size_ - 1]; }

    // Add one that it [takes]; where it is then.
    std::size_t add(Candidate candidate) {
        const std::size_t place = nearer(candidate);
        size_ += size_ < most_;
        Candidate* at = kept_.data() + place;
        std::memmove(static_cast<void*>(at + 1), at, (size_ - 1 - place) * sizeof(Candidate));
        *at = candidate;
        return place;
    }

   private:
    // How many are. What a comparison says is calculated with, as no processor can tell it beforehand.
    std::size_t nearer(Candidate candidate) const {
        if (size_ == 0) return 0;
        const Candidate* from = kept_.data();
        for (std::size_t left = size_; left > 1;) {
            const std::size_t half = left / 2;
            from += static_cast<std::size_t>(from[half - 1] < candidate) * half;
            left -= half;
        }
        return static_cast<std::size_t>(from - kept_.data()) + static_cast<std::size_t>(*from < candidate);
    }

    std::vector<Candidate> kept_;
    std::size_t size_ = 0;
    std::size_t most_ = 1;
};

}  // namespace headwater
