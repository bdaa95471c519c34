// Which rows a walk has met.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace headwater {

// By the number of the search: nothing is to be cleared between most searches.
class Visited {
   public:
    // Notes that a row is met, and tells whether it is for the first time.
    class Marker {
       public:
        Marker(std::uint8_t* marks, std::uint8_t search) : marks_(marks), search_(search) {}
        bool operator()(std::uint32_t row) const {
            const bool first = marks_[row] != search_;
            marks_[row] = search_;
            return first;
        }

       private:
        std::uint8_t* marks_;
        std::uint8_t search_;
    };

    Marker begin(std::size_t size) {
        if (marks_.size() < size) marks_.resize(size, 0);
        if (++search_ == 0) {
            std::fill(marks_.begin(), marks_.end(), std::uint8_t{0});
            search_ = 1;
        }
        return {marks_.data(), search_};
    }

   private:
    std::vector<std::uint8_t> marks_;
    std::uint8_t search_ = 0;
};

}  // namespace headwater
