// Sums of codes times weights: whole numbers, and so the same whatever the instructions.
#pragma once

#include <cstddef>
#include <cstdint>

#include "instructions.hpp"

namespace headwater {

constexpr std::size_t row_head = 8;  // bytes of a row before its codes

inline const std::uint8_t* bytes_at(const void* from, std::size_t at) {
    return static_cast<const std::uint8_t*>(from) + at;
}

using ByteSum = std::int32_t (*)(const std::uint8_t* codes, const std::int8_t* weights, std::size_t count);
// The sums of [rows], each of [count] bytes of codes.
using ByteSums = void (*)(const void* const* rows, std::size_t size, const std::int8_t* weights, std::size_t count,
                          std::int32_t* sums);

// A function for each set of instructions, so that [sum] becomes a part of it.
#define SUM_EACH(name, target)                                                                                \
    template <ByteSum sum>                                                                                    \
    target void name(const void* const* rows, std::size_t size, const std::int8_t* weights, std::size_t count, \
                     std::int32_t* sums) {                                                                    \
        for (std::size_t at = 0; at < size; ++at) sums[at] = sum(bytes_at(rows[at], row_head), weights, count); \
    }

SUM_EACH(sum_each, )

inline std::int32_t byte_sum(const std::uint8_t* codes, const std::int8_t* weights, std::size_t count) {
    std::int32_t sum = 0;
    for (std::size_t at = 0; at < count; ++at) sum += static_cast<std::int32_t>(codes[at]) * weights[at];
    return sum;
}

inline std::int32_t nibble_sum(const std::uint8_t* codes, const std::int8_t* weights, std::size_t count, std::size_t start) {
    std::int32_t sum = 0;
    for (std::size_t at = start; at < count; ++at)
        sum += (codes[at] & 15) * weights[at] + (codes[at] >> 4) * weights[count + at];
    return sum;
}

inline std::int32_t nibble_sum_baseline(const std::uint8_t* codes, const std::int8_t* weights, std::size_t count) {
    return nibble_sum(codes, weights, count, 0);
}

#ifdef HEADWATER_X86

#define CODES_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,popcnt")))
#define CODES_AVX2 __attribute__((target("avx2,fma,popcnt,bmi,bmi2")))

SUM_EACH(sum_each_avx2, CODES_AVX2)

CODES_AVX2 inline std::int32_t total(__m256i sums) {
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0xb1));
    return _mm_cvtsi128_si32(four);
}

CODES_AVX2 inline __m256i add16(__m256i sums, const std::uint8_t* codes, const std::int8_t* weights) {
    const __m256i code = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes)));
    const __m256i weight = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(weights)));
    return _mm256_add_epi32(sums, _mm256_madd_epi16(code, weight));
}

CODES_AVX2 inline std::int32_t byte_sum_avx2(const std::uint8_t* codes, const std::int8_t* weights, std::size_t count) {
    __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
    std::size_t at = 0;
    for (; at + 64 <= count; at += 64) {
        a = add16(a, codes + at, weights + at);
        b = add16(b, codes + at + 16, weights + at + 16);
        c = add16(c, codes + at + 32, weights + at + 32);
        d = add16(d, codes + at + 48, weights + at + 48);
    }
    for (; at + 16 <= count; at += 16) a = add16(a, codes + at, weights + at);
    const std::int32_t sum = total(_mm256_add_epi32(_mm256_add_epi32(a, b), _mm256_add_epi32(c, d)));
    return sum + byte_sum(codes + at, weights + at, count - at);
}

template <std::size_t some>
CODES_VNNI inline void add_vnni(const void* const* rows, const std::int8_t* weights, std::size_t count, std::int32_t* sums) {
    __m512i total[some];
    for (__m512i& one : total) one = _mm512_setzero_si512();
    for (std::size_t at = 0; at < count; at += 64) {
        const std::size_t left = count - at;
        const __mmask64 chosen = left >= 64 ? ~__mmask64{0} : (__mmask64{1} << left) - 1;
        const __m512i weight = _mm512_maskz_loadu_epi8(chosen, weights + at);
        for (std::size_t row = 0; row < some; ++row) {
            const __m512i code = _mm512_maskz_loadu_epi8(chosen, bytes_at(rows[row], row_head + at));
            total[row] = _mm512_dpbusd_epi32(total[row], code, weight);
        }
    }
    for (std::size_t row = 0; row < some; ++row) sums[row] = _mm512_reduce_add_epi32(total[row]);
}

CODES_VNNI inline void byte_sums_vnni(const void* const* rows, std::size_t size, const std::int8_t* weights, std::size_t count,
                         std::int32_t* sums) {
    constexpr std::size_t beside = 4;
    std::size_t at = 0;
    for (; at + beside <= size; at += beside) add_vnni<beside>(rows + at, weights, count, sums + at);
    for (; at < size; ++at) add_vnni<1>(rows + at, weights, count, sums + at);
}

CODES_AVX2 inline std::int32_t nibble_sum_avx2(const std::uint8_t* codes, const std::int8_t* weights, std::size_t count) {
    const __m256i low = _mm256_set1_epi8(15), ones = _mm256_set1_epi16(1);
    __m256i sums = _mm256_setzero_si256();
    std::size_t at = 0;
    for (; at + 32 <= count; at += 32) {
        const __m256i code = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes + at));
        const __m256i first = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights + at));
        const __m256i second = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights + count + at));
        const __m256i high = _mm256_and_si256(_mm256_srli_epi16(code, 4), low);
        // A pair of products of each half is at most 2 * 15 * 128.
        const __m256i pairs = _mm256_add_epi16(_mm256_maddubs_epi16(_mm256_and_si256(code, low), first),
                                               _mm256_maddubs_epi16(high, second));
        sums = _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, ones));
    }
    return total(sums) + nibble_sum(codes, weights, count, at);
}

#endif
#undef SUM_EACH

}  // namespace headwater
