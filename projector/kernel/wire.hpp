// What a message of protobuf takes once it is parsed, told from its bytes without parsing it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace headwater {

struct WireField {
    static constexpr std::int32_t no_message = -1;
    // Of the message that the field holds, among the schema's.
    std::int32_t message = no_message;
    // Bytes for each time that the field is there, and for each number of a packed one, beside what is on the wire.
    std::uint32_t each = 0;
    std::uint32_t number = 0;
    bool known = false;
};

class WireSchema {
   public:
    // Of each message its fields, by their numbers. [unknown]: bytes for each field that a message doesn't know.
    WireSchema(std::vector<std::vector<WireField>> messages, std::uint32_t unknown);

    // Bytes of [data] and of what its parts take, as far as it can be read: where a parser stops, too. Ends when there
    // are more than [limit].
    std::uint64_t parsed_size(const std::uint8_t* data, std::size_t size, std::size_t message,
                              std::uint64_t limit) const;

    std::size_t messages() const { return messages_.size(); }

   private:
    std::vector<std::vector<WireField>> messages_;
    std::uint32_t unknown_;
};

}  // namespace headwater
