// Goes through a JSON text from token to token.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "number.hpp"

namespace headwater {

// What is said of a text is false as soon as it is anything else, or anything wrong; where that is, is of no interest.
class Scanner {
   public:
    explicit Scanner(std::string_view text) : at_(text.data()), end_(at_ + text.size()) {}

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

    bool at_end() { return next() == '\0' && at_ == end_; }

    // A string of ASCII without an escape.
    bool string(std::string_view& text) {
        if (!take('"')) return false;
        const char* const first = at_;
        for (; at_ < end_ && *at_ != '"'; ++at_) {
            // Whether a char has a sign depends on the processor.
            const auto byte = static_cast<unsigned char>(*at_);
            if (byte < ' ' || byte >= 0x80 || byte == '\\') return false;
        }
        text = {first, static_cast<std::size_t>(at_ - first)};
        return take('"');
    }

    // A string of UTF-8, with escapes of one letter at most.
    bool text() {
        if (!take('"')) return false;
        while (at_ < end_ && *at_ != '"') {
            const auto byte = static_cast<unsigned char>(*at_);
            if (byte < ' ') return false;
            if (byte >= 0x80) {
                if (!past_wide_character()) return false;
            } else if (byte != '\\') {
                ++at_;
            } else {
                ++at_;
                if (at_ == end_ || std::string_view("\"\\/bfnrt").find(*at_) == std::string_view::npos) return false;
                ++at_;
            }
        }
        return take('"');
    }

    // A whole number, not negative, of few enough digits for 64 bits.
    bool whole(std::uint64_t& number) {
        next();
        const char* const first = at_;
        at_ = read_few_digits(at_, end_, number);
        return at_ > first && at_ - first <= most_digits && (*first != '0' || at_ - first == 1);
    }

    // A number without an exponent, of few enough digits for 64 bits.
    bool plain_number() {
        if (at_ < end_ && *at_ == '-') ++at_;
        const char* const first = at_;
        std::uint64_t digits = 0;
        at_ = read_few_digits(at_, end_, digits);
        if (at_ == first || (*first == '0' && at_ - first > 1)) return false;
        if (at_ < end_ && *at_ == '.') {
            const char* const point = ++at_;
            at_ = read_few_digits(at_, end_, digits);
            if (at_ == point) return false;
        }
        return at_ - first <= most_digits - 1 && (at_ == end_ || (*at_ != 'e' && *at_ != 'E'));
    }

    // An array of [count] numbers.
    bool numbers(float* into, std::size_t count) {
        if (!take('[')) return false;
        for (std::size_t i = 0; i < count; ++i) {
            if (i > 0 && !take(',')) return false;
            next();
            if (!read_number(at_, end_, into[i])) return false;
        }
        return take(']');
    }

    // [expected], which comes next.
    bool word(std::string_view expected) {
        if (std::string_view(at_, static_cast<std::size_t>(end_ - at_)).substr(0, expected.size()) != expected) return false;
        at_ += expected.size();
        return true;
    }

    // An object from bracket to bracket, which is as far as it is looked at, or null.
    bool object(std::string_view& text) {
        const char first = next();
        const char* const begin = at_;
        if (first == 'n' ? !word("null") : first != '{' || !past_brackets()) return false;
        text = {begin, static_cast<std::size_t>(at_ - begin)};
        return true;
    }

   private:
    // One that is not of ASCII.
    bool past_wide_character() {
        const auto lead = static_cast<unsigned char>(*at_);
        const std::ptrdiff_t more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
        if (lead < 0xC2 || lead > 0xF4 || end_ - at_ <= more) return false;
        std::uint32_t code = lead & (0x3F >> more);
        for (std::ptrdiff_t i = 1; i <= more; ++i) {
            const auto byte = static_cast<unsigned char>(at_[i]);
            if ((byte & 0xC0) != 0x80) return false;
            code = code << 6 | (byte & 0x3F);
        }
        at_ += more + 1;
        constexpr std::uint32_t least[] = {0, 0x80, 0x800, 0x10000};
        return code >= least[more] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
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
};

}  // namespace headwater
