#include "points.hpp"

#include <utility>

#include "scanner.hpp"

namespace headwater {
namespace {

bool vector(Scanner& scanner, std::size_t dim, std::vector<float>& found) {
    const std::size_t start = found.size();
    found.resize(start + dim);
    return scanner.numbers(found.data() + start, dim);
}

bool id(Scanner& scanner, std::vector<ReadId>& found) {
    ReadId& id = found.emplace_back();
    if (scanner.next() != '"') return scanner.whole(id.number);
    return scanner.string(id.text.emplace());
}

bool point(Scanner& scanner, std::size_t dim, ReadPoints& found) {
    std::string_view payload;
    bool has_id = false, has_vector = false, has_payload = false;
    if (!scanner.take('{')) return false;
    do {
        std::string_view key;
        if (!scanner.string(key) || !scanner.take(':')) return false;
        if (key == "id") {
            if (std::exchange(has_id, true) || !id(scanner, found.ids)) return false;
        } else if (key == "vector") {
            if (std::exchange(has_vector, true) || !vector(scanner, dim, found.vectors)) return false;
        } else if (key == "payload") {
            if (std::exchange(has_payload, true) || !scanner.object(payload)) return false;
        } else {
            return false;
        }
    } while (scanner.take(','));
    found.payloads.push_back(payload);
    return scanner.take('}') && has_id && has_vector;
}

bool body(Scanner& scanner, std::size_t dim, ReadPoints& found) {
    std::string_view key;
    if (!scanner.take('{') || !scanner.string(key) || key != "points") return false;
    if (!scanner.take(':') || !scanner.take('[')) return false;
    do {
        if (!point(scanner, dim, found)) return false;
    } while (scanner.take(','));
    return scanner.take(']') && scanner.take('}') && scanner.at_end();
}

}  // namespace

std::optional<ReadPoints> read_points(std::string_view text, std::size_t dim) {
    Scanner scanner(text);
    ReadPoints found;
    if (!body(scanner, dim, found)) return std::nullopt;
    return found;
}

bool read_vector(std::string_view text, float* into, std::size_t dim) {
    Scanner scanner(text);
    return scanner.numbers(into, dim) && scanner.at_end();
}

bool read_vectors(std::string_view text, std::size_t dim, std::vector<float>& found) {
    Scanner scanner(text);
    if (!scanner.take('[')) return false;
    do {
        if (!vector(scanner, dim, found)) return false;
    } while (scanner.take(','));
    return scanner.take(']') && scanner.at_end();
}

}  // namespace headwater
