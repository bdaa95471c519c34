#include "payloads.hpp"

#include "scanner.hpp"

namespace headwater {
namespace {

// Far from schemas.nesting.MAX_DEPTH.
constexpr int most_levels = 8;

bool value(Scanner& scanner, int levels);

bool object(Scanner& scanner, int levels) {
    if (levels == 0 || !scanner.take('{')) return false;
    if (scanner.take('}')) return true;
    do {
        if (!scanner.text() || !scanner.take(':') || !value(scanner, levels)) return false;
    } while (scanner.take(','));
    return scanner.take('}');
}

bool array(Scanner& scanner, int levels) {
    if (levels == 0 || !scanner.take('[')) return false;
    if (scanner.take(']')) return true;
    do {
        if (!value(scanner, levels)) return false;
    } while (scanner.take(','));
    return scanner.take(']');
}

// A value in something that may have [levels] levels.
bool value(Scanner& scanner, int levels) {
    switch (scanner.next()) {
        case '"':
            return scanner.text();
        case '{':
            return object(scanner, levels - 1);
        case '[':
            return array(scanner, levels - 1);
        case 't':
            return scanner.word("true");
        case 'f':
            return scanner.word("false");
        case 'n':
            return scanner.word("null");
        default:
            return scanner.plain_number();
    }
}

}  // namespace

bool is_plain_object(std::string_view text) {
    Scanner scanner(text);
    return object(scanner, most_levels) && scanner.at_end();
}

}  // namespace headwater
