// Payloads as most are.
#pragma once

#include <string_view>

namespace headwater {

// Whether a text is plainly a JSON object: escapes are of one letter, numbers have few digits and no exponent, and it is
// not nested deeply. Of others more has to be known.
bool is_plain_object(std::string_view text);

}  // namespace headwater
