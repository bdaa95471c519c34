// Going through the codes of a scan's rows, for those that may be among the nearest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "float_limit.hpp"
#include "scan.hpp"

namespace headwater {

// What codes tell of the nearest so far tells which rows may yet be among them: those are kept, and compared exactly
// once all have been gone through. For the 10 nearest of 20,000 word vectors 16 are; as many as 280 are kept.
class CodedScan {
   public:
    CodedScan(const Search& search, const Scan& scan);

    // The nearest known, rows of other scans among them, have at least this [nearness].
    void know(double nearness);

    // Go through those between two places of what is gone through; not too many at once.
    void compare(std::size_t from, std::size_t to);

    // Whether it has turned out that too many rows are left by codes for them to be worth anything.
    bool in_vain();

    // Call [visit] with each row that may be among the nearest, which is to [know] what it finds.
    template <class Visit>
    void finish(Visit visit) {
        drop();
        // Those that are nearest by codes first, as most others need not be looked at then.
        const float last = nearest_.empty() ? 0.0F : nearest_.front();
        for (const bool near : {true, false})
            for (std::size_t at = 0; at < kept_.size(); ++at) {
                constexpr std::size_t ahead = 4;
                if (at + ahead < kept_.size()) ask_for(kept_[at + ahead], near, last);
                if ((kept_[at].distance <= last) == near && !is_beyond(kept_[at].distance, limit_)) visit(kept_[at].row);
            }
        kept_.clear();
        nearest_.clear();
    }

   private:
    struct Kept {
        float distance;  // by codes
        std::uint32_t row;
    };

    void compare_in_order(std::size_t from, std::size_t to);
    void compare_rows(const std::uint32_t* rows, std::size_t count);
    void take(std::uint32_t row, float distance);
    void drop();

    void ask_for(const Kept& kept, bool near, float last) const {
        if ((kept.distance <= last) == near && !is_beyond(kept.distance, limit_)) scan_.matrix.prefetch(kept.row);
    }

    const Scan& scan_;
    const ScanCodes& codes_;
    Measure measure_;
    std::size_t wanted_;
    std::vector<Kept> kept_;
    std::vector<float> nearest_;  // distances by codes, at most [wanted_]; a heap with the farthest on top
    double known_ = -std::numeric_limits<double>::infinity();
    float limit_ = std::numeric_limits<float>::infinity();
    std::size_t asked_ = 0;
};

}  // namespace headwater
