// Which of a part's rows are compared.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace headwater {

// Of [size] rows all, those of a [mask], or those of a [list], which is checked to have none that aren't there.
struct Chosen {
    enum class By { all, mask, list };

    std::size_t size = 0;
    By by = By::all;
    const bool* mask = nullptr;
    const std::int64_t* list = nullptr;  // may be nullptr where it is empty
    std::size_t listed = 0;

    // How many are to be gone through: of a list those in it, else all rows.
    std::size_t length() const { return by == By::list ? listed : size; }

    // Call [visit] with rows, a few at a time: [visit](rows, how many).
    template <class Visit>
    void each(Visit visit) const {
        each(0, length(), visit);
    }

    // The same with those between two places of what is gone through.
    template <class Visit>
    void each(std::size_t from, std::size_t to, Visit visit) const {
        constexpr std::size_t most = 512;
        std::uint32_t rows[most];
        for (std::size_t at = from; at < to; at += most) {
            const std::size_t end = std::min(to, at + most);
            std::size_t count = 0;
            if (by == By::list) {
                for (std::size_t place = at; place < end; ++place)
                    rows[count++] = static_cast<std::uint32_t>(list[place]);
            } else if (by == By::mask) {
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
