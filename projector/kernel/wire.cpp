#include "wire.hpp"

#include <utility>

namespace headwater {
namespace {

// Parsers stop at 100.
constexpr int most_nested = 128;
constexpr int most_varint = 10;

enum Type : std::uint8_t { varint = 0, fixed64 = 1, delimited = 2, group = 3, group_end = 4, fixed32 = 5 };

class Walk {
   public:
    Walk(const std::vector<std::vector<WireField>>& messages, std::uint32_t unknown, std::uint64_t taken,
         std::uint64_t limit)
        : messages_(messages), unknown_{WireField::no_message, unknown, 0, false}, taken_(taken), limit_(limit) {}

    std::uint64_t taken() const { return taken_; }

    // False: there is no need to go on.
    bool message(const std::uint8_t* at, const std::uint8_t* end, std::size_t which, int depth) {
        if (depth > most_nested) return false;
        const auto& fields = messages_[which];
        while (at < end) {
            std::uint64_t tag = 0;
            if (!read(at, end, tag)) return false;
            const std::uint64_t number = tag >> 3;
            const bool known = number < fields.size() && fields[number].known;
            const WireField& field = known ? fields[number] : unknown_;
            taken_ += field.each;
            if (taken_ > limit_) return false;
            std::uint64_t size = 0;
            switch (tag & 7) {
                case delimited: {
                    if (!read(at, end, size)) return false;
                    const std::uint8_t* from = at;
                    if (!skip(at, end, size)) return false;
                    if (field.message != WireField::no_message) {
                        if (!message(from, at, static_cast<std::size_t>(field.message), depth + 1)) return false;
                    } else if (field.number != 0) {
                        numbers(from, at, field.number);
                    }
                    break;
                }
                case group:
                    if (!group_of(at, end, number, depth + 1)) return false;
                    break;
                default:
                    if (!number_of(at, end, tag & 7)) return false;
            }
        }
        return taken_ <= limit_;
    }

   private:
    // No message has groups: a parser keeps one as it came, and looks at none of its fields.
    bool group_of(const std::uint8_t*& at, const std::uint8_t* end, std::uint64_t number, int depth) {
        if (depth > most_nested) return false;
        while (at < end) {
            std::uint64_t tag = 0, size = 0;
            if (!read(at, end, tag)) return false;
            taken_ += unknown_.each;
            if (taken_ > limit_) return false;
            switch (tag & 7) {
                case delimited:
                    if (!read(at, end, size) || !skip(at, end, size)) return false;
                    break;
                case group:
                    if (!group_of(at, end, tag >> 3, depth + 1)) return false;
                    break;
                case group_end:
                    return tag >> 3 == number;
                default:
                    if (!number_of(at, end, tag & 7)) return false;
            }
        }
        return false;
    }

    // Past a value of one of the types that have a size of their own; false for another type.
    static bool number_of(const std::uint8_t*& at, const std::uint8_t* end, std::uint64_t type) {
        std::uint64_t value = 0;
        switch (type) {
            case varint:
                return read(at, end, value);
            case fixed64:
                return skip(at, end, 8);
            case fixed32:
                return skip(at, end, 4);
            default:
                return false;
        }
    }

    static bool skip(const std::uint8_t*& at, const std::uint8_t* end, std::uint64_t size) {
        if (static_cast<std::uint64_t>(end - at) < size) return false;
        at += size;
        return true;
    }

    static bool read(const std::uint8_t*& at, const std::uint8_t* end, std::uint64_t& value) {
        for (int byte = 0; byte < most_varint && at < end; ++byte) {
            const std::uint8_t found = *at++;
            value |= static_cast<std::uint64_t>(found & 0x7F) << (7 * byte);
            if (found < 0x80) return true;
        }
        return false;
    }

    void numbers(const std::uint8_t* at, const std::uint8_t* end, std::uint32_t each) {
        std::uint64_t count = 0;
        for (; at < end; ++at) count += *at < 0x80;
        taken_ += count * each;
    }

    const std::vector<std::vector<WireField>>& messages_;
    const WireField unknown_;
    std::uint64_t taken_;
    const std::uint64_t limit_;
};

}  // namespace

WireSchema::WireSchema(std::vector<std::vector<WireField>> messages, std::uint32_t unknown)
    : messages_(std::move(messages)), unknown_(unknown) {}

std::uint64_t WireSchema::parsed_size(const std::uint8_t* data, std::size_t size, std::size_t message,
                                      std::uint64_t limit) const {
    Walk walk(messages_, unknown_, size, limit);
    walk.message(data, data + size, message, 0);
    return walk.taken();
}

}  // namespace headwater
