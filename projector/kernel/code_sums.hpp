// Sums of codes times weights: whole numbers, and so the same whatever the instructions.
#pragma once

#include <cstddef>
#include <cstdint>

#include "code_heads.hpp"
#include "distance.hpp"
#include "instructions.hpp"

namespace headwater {

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

inline bool has_vnni() {
    __builtin_cpu_init();
    return supported(Level::avx512) && __builtin_cpu_supports("avx512vnni");
}

SUM_EACH(sum_each_avx2, CODES_AVX2)

CODES_AVX2 inline std::int32_t total(__m256i sums) {
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0xb1));
    return _mm_cvtsi128_si32(four);
}

// To [sums] those of 32 codes, each less 128, times weights. The size of the first times the second with the sign that
// makes that right: pairs of these fit into 16 bits.
CODES_AVX2 inline __m256i add32(__m256i sums, __m256i codes, __m256i weights) {
    const __m256i less = _mm256_xor_si256(codes, _mm256_set1_epi8(-128));
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(less), _mm256_sign_epi8(weights, less));
    return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

CODES_AVX2 inline __m256i bytes32(const void* from, std::size_t at) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes_at(from, at)));
}

// [last]: the last 32 weights, but for those that came before: zeros.
template <std::size_t some>
CODES_AVX2 inline void add_avx2(const void* const* rows, const std::int8_t* weights, std::size_t count, __m256i last,
                                __m256i* total) {
    for (std::size_t row = 0; row < some; ++row) total[row] = _mm256_setzero_si256();
    std::size_t at = 0;
    for (; at + 32 <= count; at += 32) {
        const __m256i weight = bytes32(weights, at);
        for (std::size_t row = 0; row < some; ++row)
            total[row] = add32(total[row], bytes32(rows[row], row_head + at), weight);
    }
    if (at == count) return;
    for (std::size_t row = 0; row < some; ++row)
        total[row] = add32(total[row], bytes32(rows[row], row_head + count - 32), last);
}

CODES_AVX2 inline void byte_sums_avx2(const void* const* rows, std::size_t size, const std::int8_t* weights,
                                      std::size_t count, std::int32_t* sums) {
    constexpr std::size_t beside = 4;
    if (count < 32) {
        sum_each<byte_sum>(rows, size, weights, count, sums);
        return;
    }
    // What is taken from each code, times its weight.
    std::int32_t taken = 0;
    for (std::size_t at = 0; at < count; ++at) taken += weights[at];
    taken *= 128;
    std::int8_t rest[32] = {};
    const std::size_t left = count % 32;
    for (std::size_t at = 0; at < left; ++at) rest[32 - left + at] = weights[count - left + at];
    const __m256i last = bytes32(rest, 0);
    __m256i found[beside];
    std::size_t at = 0;
    for (; at + beside <= size; at += beside) {
        add_avx2<beside>(rows + at, weights, count, last, found);
        const __m256i pairs = _mm256_hadd_epi32(_mm256_hadd_epi32(found[0], found[1]),
                                                _mm256_hadd_epi32(found[2], found[3]));
        const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(sums + at), _mm_add_epi32(four, _mm_set1_epi32(taken)));
    }
    for (; at < size; ++at) {
        add_avx2<1>(rows + at, weights, count, last, found);
        sums[at] = total(found[0]) + taken;
    }
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
