// Which of a part's rows are compared.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

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

    // Of at most [together] rows of a mask, from one on, a bit for each that is chosen.
    static constexpr std::size_t together = 64;
    std::uint64_t bits(std::size_t from, std::size_t count) const {
        // Each of eight bytes, which are 0 or 1, to a bit of the highest byte.
        constexpr std::uint64_t gather = 0x0102040810204080;
        std::uint64_t found = 0, eight;
        std::size_t at = 0;
        for (; at + sizeof eight <= count; at += sizeof eight) {
            std::memcpy(&eight, mask + from + at, sizeof eight);
            found |= (eight * gather >> 56) << at;
        }
        for (; at < count; ++at) found |= std::uint64_t{mask[from + at]} << at;
        return found;
    }

    // Of the rows of a mask, between two, how many are chosen.
    std::size_t count(std::size_t from, std::size_t to) const {
        // Bytes are added up beside each other, as often as each has room for; then all of them in the highest one.
        constexpr std::uint64_t all = 0x0101010101010101;
        std::size_t found = 0, at = from;
        for (; at + together <= to; at += together) {
            std::uint64_t eight[together / sizeof all], sums = 0;
            std::memcpy(eight, mask + at, sizeof eight);
            for (const std::uint64_t some : eight) sums += some;
            found += sums * all >> 56;
        }
        for (; at < to; ++at) found += mask[at];
        return found;
    }

    // Call [visit] with rows, at most [most] at a time: [visit](rows, how many).
    static constexpr std::size_t most = 512;
    template <class Visit>
    void each(Visit visit) const {
        each(0, length(), visit);
    }

    // The same with those between two places of what is gone through.
    template <class Visit>
    void each(std::size_t from, std::size_t to, Visit visit) const {
        std::uint32_t rows[most];
        for (std::size_t at = from; at < to;) {
            std::size_t count = 0;
            if (by == By::mask) {
                for (; at < to && count + together <= most; at += together)
                    for (std::uint64_t some = bits(at, std::min(together, to - at)); some != 0; some &= some - 1)
                        rows[count++] = static_cast<std::uint32_t>(at) + static_cast<std::uint32_t>(__builtin_ctzll(some));
            } else {
                const std::size_t end = std::min(to, at + most);
                for (; at < end; ++at) rows[count++] = static_cast<std::uint32_t>(by == By::list ? list[at] : at);
            }
            if (count > 0) visit(static_cast<const std::uint32_t*>(rows), count);
        }
    }
};

}  // namespace headwater
