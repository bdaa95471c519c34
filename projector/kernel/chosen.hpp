// Which of a part's rows are compared.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace headwater {

// Of [size] rows those of a [mask], those of a [list], which is checked to have none that aren't there, or all.
struct Chosen {
    std::size_t size = 0;
    const bool* mask = nullptr;
    const std::int64_t* list = nullptr;
    std::size_t listed = 0;

    // Call [visit] with rows, a few at a time: [visit](rows, how many).
    template <class Visit>
    void each(Visit visit) const {
        constexpr std::size_t most = 512;
        std::uint32_t rows[most];
        const std::size_t all = list == nullptr ? size : listed;
        for (std::size_t at = 0; at < all; at += most) {
            const std::size_t end = std::min(all, at + most);
            std::size_t count = 0;
            if (list != nullptr) {
                for (std::size_t place = at; place < end; ++place) rows[count++] = static_cast<std::uint32_t>(list[place]);
            } else if (mask != nullptr) {
                for (std::size_t row = at; row < end; ++row) {
                    rows[count] = static_cast<std::uint32_t>(row);
                    count += mask[row];
                }
            } else {
                for (std::size_t row = at; row < end; ++row) rows[count++] = static_cast<std::uint32_t>(row);
            }
            if (count > 0) visit(static_cast<const std::uint32_t*>(rows), count);
        }
    }
};

}  // namespace headwater
