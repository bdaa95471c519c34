// Comparing the rows that links lead to with a query, all of one row's at once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "candidates.hpp"
#include "walk.hpp"

namespace headwater {

struct Span {
    const std::uint32_t* first;
    std::size_t size;
};

class Comparing {
   public:
    void begin(const Graph& graph, const void* query) {
        rows_ = &graph.rows;
        query_ = query;
        count_ = 0;
        std::size_t most = std::max<std::size_t>(1, graph.base.width);
        for (const Links& level : graph.upper) most = std::max(most, level.width);
        if (candidates_.size() >= most) return;
        numbers_.resize(most);
        pointers_.resize(most);
        distances_.resize(most);
        candidates_.resize(most);
    }

    // Take up the rows among [links] that a [choice] says are to be compared.
    template <class Choice>
    void take(Span links, Choice choice) {
        std::uint32_t* numbers = numbers_.data();
        std::size_t count = 0;
        // Each is written down, and counted if chosen, as no processor can tell that beforehand.
        for (std::size_t at = 0; at < links.size; ++at) {
            numbers[count] = links.first[at];
            count += choice(links.first[at]);
        }
        for (std::size_t at = 0; at < count; ++at) {
            pointers_[at] = rows_->row(numbers[at]);
            rows_->prefetch(pointers_[at]);
        }
        count_ = count;
    }

    std::size_t count() const { return count_; }

    // What was taken up, in order.
    const Candidate* compare() {
        rows_->distances(pointers_.data(), count_, query_, rows_->dim, distances_.data());
        for (std::size_t at = 0; at < count_; ++at) candidates_[at] = Candidate(distances_[at], numbers_[at]);
        return candidates_.data();
    }

   private:
    const Rows* rows_ = nullptr;
    const void* query_ = nullptr;
    std::size_t count_ = 0;
    std::vector<std::uint32_t> numbers_;
    std::vector<const void*> pointers_;
    std::vector<float> distances_;
    std::vector<Candidate> candidates_;
};

}  // namespace headwater
