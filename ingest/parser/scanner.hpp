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

    // A whole number, not negative, of few enough digits for 64 bits.
    bool whole(std::uint64_t& number) {
        next();
        const char* const first = at_;
        at_ = read_few_digits(at_, end_, number);
        return at_ > first && at_ - first <= most_digits && (*first != '0' || at_ - first == 1);
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

    // An object from bracket to bracket, which is as far as it is looked at, or null.
    bool object(std::string_view& text) {
        const char first = next();
        const char* const begin = at_;
        if (first == 'n' ? !null() : first != '{' || !past_brackets()) return false;
        text = {begin, static_cast<std::size_t>(at_ - begin)};
        return true;
    }

   private:
    bool null() {
        constexpr std::string_view word = "null";
        if (std::string_view(at_, static_cast<std::size_t>(end_ - at_)).substr(0, word.size()) != word) return false;
        at_ += word.size();
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
};

}  // namespace headwater
