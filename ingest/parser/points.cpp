#include "points.hpp"

#include <cstring>

#include "number.hpp"

namespace headwater {
namespace {

constexpr std::ptrdiff_t most_id_digits = 19;

class Reader {
   public:
    Reader(std::string_view body, std::size_t dim) : at_(body.data()), end_(at_ + body.size()), dim_(dim) {}

    bool body() {
        std::string_view key;
        if (!take('{') || !string(key) || key != "points" || !take(':') || !take('[')) return false;
        if (next() == ']') return false;
        do {
            if (!point()) return false;
        } while (take(','));
        return take(']') && take('}') && next() == '\0' && at_ == end_;
    }

    ReadPoints found;

   private:
    // The next byte that is no space, which stays; 0 at the end.
    char next() {
        while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
        return at_ < end_ ? *at_ : '\0';
    }

    bool take(char wanted) {
        if (next() != wanted) return false;
        ++at_;
        return true;
    }

    bool point() {
        std::string_view payload;
        bool has_id = false, has_vector = false, has_payload = false;
        if (!take('{')) return false;
        do {
            std::string_view key;
            if (!string(key) || !take(':')) return false;
            if (key == "id") {
                if (has_id || !id()) return false;
                has_id = true;
            } else if (key == "vector") {
                if (has_vector || !vector()) return false;
                has_vector = true;
            } else if (key == "payload") {
                if (has_payload || !object(payload)) return false;
                has_payload = true;
            } else {
                return false;
            }
        } while (take(','));
        if (!take('}') || !has_id || !has_vector) return false;
        found.payloads.push_back(payload);
        return true;
    }

    bool id() {
        ReadId id;
        if (next() == '"') {
            std::string_view text;
            if (!string(text)) return false;
            id.text = text;
        } else {
            const char* const first = at_;
            at_ = read_few_digits(at_, end_, id.number);
            if (at_ == first || at_ - first > most_id_digits || (*first == '0' && at_ - first > 1)) return false;
        }
        found.ids.push_back(id);
        return true;
    }

    bool vector() {
        if (!take('[')) return false;
        std::vector<float>& numbers = found.vectors;
        const std::size_t start = numbers.size();
        numbers.resize(start + dim_);
        for (std::size_t i = 0; i < dim_; ++i) {
            if (i > 0 && !take(',')) return false;
            next();
            if (!read_number(at_, end_, numbers[start + i])) return false;
        }
        return take(']');
    }

    // A string of ASCII without an escape.
    bool string(std::string_view& text) {
        if (!take('"')) return false;
        const char* const first = at_;
        for (; at_ < end_ && *at_ != '"'; ++at_) {
            if (*at_ < ' ' || *at_ == '\\') return false;
        }
        text = {first, static_cast<std::size_t>(at_ - first)};
        return take('"');
    }

    // An object from bracket to bracket, or null.
    bool object(std::string_view& text) {
        const char* const first = next() == '\0' ? end_ : at_;
        if (end_ - at_ >= 4 && std::memcmp(at_, "null", 4) == 0) {
            at_ += 4;
        } else if (at_ == end_ || *at_ != '{' || !past_brackets()) {
            return false;
        }
        text = {first, static_cast<std::size_t>(at_ - first)};
        return true;
    }

    bool past_brackets() {
        std::size_t open = 0;
        for (; at_ < end_; ++at_) {
            switch (*at_) {
                case '"':
                    if (!past_string()) return false;
                    break;
                case '{':
                case '[':
                    ++open;
                    break;
                case '}':
                case ']':
                    if (--open == 0) {
                        ++at_;
                        return true;
                    }
                    break;
                default:
                    break;
            }
        }
        return false;
    }

    // To the quote that ends the string which begins here.
    bool past_string() {
        for (++at_; at_ < end_; ++at_) {
            if (*at_ == '"') return true;
            if (*at_ == '\\') ++at_;
        }
        return false;
    }

    const char* at_;
    const char* const end_;
    const std::size_t dim_;
};

}  // namespace

std::optional<ReadPoints> read_points(std::string_view body, std::size_t dim) {
    Reader reader(body, dim);
    if (!reader.body()) return std::nullopt;
    return std::move(reader.found);
}

}  // namespace headwater
