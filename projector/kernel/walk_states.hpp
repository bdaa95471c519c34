// What a walk keeps, and from which row it goes on.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "candidates.hpp"
#include "chosen.hpp"
#include "walk.hpp"

namespace headwater {

inline std::vector<Found> all_of(const Candidate* candidates, std::size_t count) {
    std::vector<Found> all;
    all.reserve(count);
    for (std::size_t at = 0; at < count; ++at) all.push_back({candidates[at].distance(), candidates[at].row()});
    return all;
}

// A walk's state where all rows may be found and few are kept: one list, which it goes on from, too.
class OneList {
   public:
    OneList(const Links& base, SortedCandidates& kept, std::size_t ef) : base_(base), kept_(kept) {
        kept_.clear(ef);
    }

    void begin(Candidate first) { kept_.add(first); }

    bool in_vain(std::uint64_t, std::uint64_t) const { return false; }

    bool next(Candidate& candidate) {
        next_ = unfollowed(next_);
        if (next_ == kept_.size()) return false;
        candidate = kept_[next_];
        return true;
    }

    // Take the next one away, and look at what may come after it.
    void follow() {
        kept_[next_].follow();
        after_ = unfollowed(next_);
        if (after_ < kept_.size()) base_.prefetch(kept_[after_].row());
    }

    void add(const Candidate* found, std::size_t count) {
        for (std::size_t at = 0; at < count; ++at) {
            if (!kept_.takes(found[at])) continue;
            const std::size_t place = kept_.add(found[at]);
            next_ = std::min(next_, place);
            if (place <= after_) base_.prefetch(found[at].row());
        }
    }

    std::vector<Found> nearest() const { return all_of(kept_.data(), kept_.size()); }

   private:
    std::size_t unfollowed(std::size_t place) const {
        while (place < kept_.size() && kept_[place].followed()) ++place;
        return place;
    }

    const Links& base_;
    SortedCandidates& kept_;
    std::size_t next_ = 0;   // the links of all before it were followed
    std::size_t after_ = 0;  // where the one was that would come next, were there nothing nearer
};

// A walk's state where rows may lead on and not be found, or many are kept: two heaps.
class TwoHeaps {
   public:
    TwoHeaps(const Links& base, std::vector<Candidate>& ahead, std::vector<Candidate>& kept, std::size_t wanted,
             std::size_t ef, const bool* allowed, std::size_t rows)
        : base_(base),
          ahead_(ahead),
          kept_(kept),
          wanted_(wanted),
          ef_(ef),
          most_(ef),
          allowed_(allowed),
          rows_(rows) {
        ahead_.clear();
        kept_.clear();
    }

    void begin(Candidate first) {
        met_ = 1;
        ahead_.push_back(first);
        if (!may_be_found(first)) return;
        passed_ = 1;
        kept_.push_back(first);
    }

    // Whether a walk that has [compared] so much of its [budget] is not likely to end within it: where much less of what
    // was met is allowed than of all rows, as what is near is left out. Where it is as much walks end when they are
    // expected to. Asked about once, as it takes to look at all rows.
    bool in_vain(std::uint64_t compared, std::uint64_t budget) {
        constexpr double part = 0.3, alike = 0.8;
        if (asked_ || allowed_ == nullptr || static_cast<double>(compared) < part * static_cast<double>(budget))
            return false;
        asked_ = true;
        Chosen chosen;
        chosen.mask = allowed_;
        const auto all = static_cast<double>(chosen.count(0, rows_));
        return static_cast<double>(passed_) * static_cast<double>(rows_) < alike * all * static_cast<double>(met_);
    }

    bool next(Candidate& candidate) const {
        if (ahead_.empty() || (kept_.size() >= most_ && kept_.front() < ahead_.front())) return false;
        candidate = ahead_.front();
        return true;
    }

    void follow() {
        std::pop_heap(ahead_.begin(), ahead_.end(), farther);
        ahead_.pop_back();
        if (!ahead_.empty()) base_.prefetch(ahead_.front().row());
    }

    void add(const Candidate* found, std::size_t count) {
        met_ += count;
        for (std::size_t at = 0; at < count; ++at) {
            const bool may = may_be_found(found[at]);
            passed_ += may;
            if (kept_.size() >= most_ && !(found[at] < kept_.front())) continue;
            ahead_.push_back(found[at]);
            std::push_heap(ahead_.begin(), ahead_.end(), farther);
            if (!may) continue;
            kept_.push_back(found[at]);
            std::push_heap(kept_.begin(), kept_.end());
            if (kept_.size() > most_) drop_farthest();
        }
        if (allowed_ == nullptr) return;
        most_ = most_of(static_cast<double>(passed_ + 1) / static_cast<double>(met_ + 1));
        while (kept_.size() > most_) drop_farthest();
    }

    std::vector<Found> nearest() {
        std::sort_heap(kept_.begin(), kept_.end());
        return all_of(kept_.data(), kept_.size());
    }

   private:
    static bool farther(Candidate one, Candidate other) { return other < one; }

    bool may_be_found(Candidate candidate) const { return allowed_ == nullptr || allowed_[candidate.row()]; }

    // How many to keep where this share of what was met may be found.
    std::size_t most_of(double share) const {
        return std::max(wanted_, static_cast<std::size_t>(std::ceil(static_cast<double>(ef_) * kept_of_ef(share))));
    }

    void drop_farthest() {
        std::pop_heap(kept_.begin(), kept_.end());
        kept_.pop_back();
    }

    const Links& base_;
    std::vector<Candidate>& ahead_;  // nearest on top: whose links are yet to be followed
    std::vector<Candidate>& kept_;   // farthest on top
    std::size_t wanted_;
    std::size_t ef_;
    std::size_t most_;
    const bool* allowed_;
    std::size_t rows_;
    bool asked_ = false;
    std::uint64_t met_ = 0;
    std::uint64_t passed_ = 0;
};

}  // namespace headwater
