// The best of many scores, and those that are as good as the last of them: which of these is answered, others say.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace headwater {

struct Scored {
    float nearness;  // larger is nearer
    std::uint32_t row;
    std::uint32_t scan = 0;  // of several at once, the one whose row it is

    // A heap of these has the worst on top.
    bool operator<(const Scored& other) const { return nearness > other.nearness; }
};

class Best {
   public:
    explicit Best(std::size_t wanted) : wanted_(wanted) {}

    // Whether so many are there that what is worse than [least] isn't kept any more.
    bool full() const { return kept_.size() == wanted_; }
    float least() const { return wanted_ == 0 ? std::numeric_limits<float>::infinity() : kept_.front().nearness; }

    void add(float nearness, std::uint32_t row, std::uint32_t scan = 0) {
        const Scored scored{nearness, row, scan};
        if (!full()) {
            kept_.push_back(scored);
            std::push_heap(kept_.begin(), kept_.end());
            return;
        }
        if (wanted_ == 0 || nearness < least()) return;
        if (nearness == least()) {
            ties_.push_back(scored);
            return;
        }
        const Scored last = kept_.front();
        std::pop_heap(kept_.begin(), kept_.end());
        kept_.back() = scored;
        std::push_heap(kept_.begin(), kept_.end());
        if (least() == last.nearness)
            ties_.push_back(last);
        else
            ties_.clear();
    }

    // All that are kept, by scan and row.
    std::vector<Scored> take() {
        kept_.insert(kept_.end(), ties_.begin(), ties_.end());
        std::sort(kept_.begin(), kept_.end(), [](const Scored& a, const Scored& b) {
            return a.scan == b.scan ? a.row < b.row : a.scan < b.scan;
        });
        return std::move(kept_);
    }

   private:
    std::size_t wanted_;
    std::vector<Scored> kept_;
    std::vector<Scored> ties_;
};

}  // namespace headwater
