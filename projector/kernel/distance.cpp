#include "distance.hpp"

#include <cstdint>
#include <stdexcept>

#include "half.hpp"
#include "instructions.hpp"

namespace headwater {
namespace {

template <Metric metric>
inline float term(float row, float query) {
    if (metric == Metric::dot) return row * query;
    const float difference = row - query;
    return difference * difference;
}

template <Metric metric>
inline float finished(float sum) {
    return metric == Metric::dot ? 1.0f - sum : sum;
}

template <Metric metric, class T>
float baseline(const void* row, const void* other, std::size_t dim) {
    constexpr std::size_t lanes = 16;  // sums apart from each other, so that a compiler may use vectors
    const T* values = static_cast<const T*>(row);
    const float* query = static_cast<const float*>(other);
    float sums[lanes] = {};
    std::size_t at = 0;
    for (; at + lanes <= dim; at += lanes)
        for (std::size_t lane = 0; lane < lanes; ++lane)
            sums[lane] += term<metric>(widen(values[at + lane]), query[at + lane]);
    float sum = 0.0f;
    for (; at < dim; ++at) sum += term<metric>(widen(values[at]), query[at]);
    for (float part : sums) sum += part;
    return finished<metric>(sum);
}

#ifdef HEADWATER_X86

TARGET_AVX2 inline __m256 load8(const float* values) { return _mm256_loadu_ps(values); }
TARGET_AVX2 inline __m256 load8(const Half* values) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(values)));
}
TARGET_AVX2 inline __m256 load8(const std::uint8_t* values) {
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(values))));
}

template <Metric metric>
TARGET_AVX2 inline __m256 add8(__m256 sum, __m256 row, __m256 query) {
    if (metric == Metric::dot) return _mm256_fmadd_ps(row, query, sum);
    const __m256 difference = _mm256_sub_ps(row, query);
    return _mm256_fmadd_ps(difference, difference, sum);
}

template <Metric metric, class T>
TARGET_AVX2 float avx2(const void* row, const void* other, std::size_t dim) {
    const T* values = static_cast<const T*>(row);
    const float* query = static_cast<const float*>(other);
    __m256 a = _mm256_setzero_ps(), b = a, c = a, d = a;
    std::size_t at = 0;
    for (; at + 32 <= dim; at += 32) {
        a = add8<metric>(a, load8(values + at), _mm256_loadu_ps(query + at));
        b = add8<metric>(b, load8(values + at + 8), _mm256_loadu_ps(query + at + 8));
        c = add8<metric>(c, load8(values + at + 16), _mm256_loadu_ps(query + at + 16));
        d = add8<metric>(d, load8(values + at + 24), _mm256_loadu_ps(query + at + 24));
    }
    for (; at + 8 <= dim; at += 8) a = add8<metric>(a, load8(values + at), _mm256_loadu_ps(query + at));
    const __m256 four = _mm256_add_ps(_mm256_add_ps(a, b), _mm256_add_ps(c, d));
    __m128 two = _mm_add_ps(_mm256_castps256_ps128(four), _mm256_extractf128_ps(four, 1));
    two = _mm_add_ps(two, _mm_movehl_ps(two, two));
    float sum = _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
    for (; at < dim; ++at) sum += term<metric>(widen(values[at]), query[at]);
    return finished<metric>(sum);
}

TARGET_AVX512 inline __m512 load16(const float* values, __mmask16 mask) { return _mm512_maskz_loadu_ps(mask, values); }
TARGET_AVX512 inline __m512 load16(const Half* values, __mmask16 mask) {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, values));
}
TARGET_AVX512 inline __m512 load16(const std::uint8_t* values, __mmask16 mask) {
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(mask, values)));
}

template <Metric metric>
TARGET_AVX512 inline __m512 add16(__m512 sum, __m512 row, __m512 query) {
    if (metric == Metric::dot) return _mm512_fmadd_ps(row, query, sum);
    const __m512 difference = _mm512_sub_ps(row, query);
    return _mm512_fmadd_ps(difference, difference, sum);
}

template <Metric metric, class T>
TARGET_AVX512 float avx512(const void* row, const void* other, std::size_t dim) {
    constexpr __mmask16 all = 0xffff;
    const T* values = static_cast<const T*>(row);
    const float* query = static_cast<const float*>(other);
    __m512 a = _mm512_setzero_ps(), b = a, c = a, d = a;
    std::size_t at = 0;
    for (; at + 64 <= dim; at += 64) {
        a = add16<metric>(a, load16(values + at, all), _mm512_loadu_ps(query + at));
        b = add16<metric>(b, load16(values + at + 16, all), _mm512_loadu_ps(query + at + 16));
        c = add16<metric>(c, load16(values + at + 32, all), _mm512_loadu_ps(query + at + 32));
        d = add16<metric>(d, load16(values + at + 48, all), _mm512_loadu_ps(query + at + 48));
    }
    for (; at + 16 <= dim; at += 16) a = add16<metric>(a, load16(values + at, all), _mm512_loadu_ps(query + at));
    if (at < dim) {
        const __mmask16 rest = static_cast<__mmask16>((1u << (dim - at)) - 1u);
        b = add16<metric>(b, load16(values + at, rest), _mm512_maskz_loadu_ps(rest, query + at));
    }
    return finished<metric>(_mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(a, b), _mm512_add_ps(c, d))));
}

#endif

template <Metric metric, class T>
Distance at_level(Level level) {
    switch (level) {
#ifdef HEADWATER_X86
        case Level::avx512:
            return avx512<metric, T>;
        case Level::avx2:
            return avx2<metric, T>;
#endif
        default:
            return baseline<metric, T>;
    }
}

template <Metric metric>
Distance of_type(Datatype datatype, Level level) {
    switch (datatype) {
        case Datatype::float16:
            return at_level<metric, Half>(level);
        case Datatype::uint8:
            return at_level<metric, std::uint8_t>(level);
        default:
            return at_level<metric, float>(level);
    }
}

}  // namespace

bool supported(Level level) {
    if (level == Level::baseline) return true;
#ifdef HEADWATER_X86
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    if (level == Level::avx2) return avx2;
    return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl");
#else
    return false;
#endif
}

Level best_level() {
    if (supported(Level::avx512)) return Level::avx512;
    return supported(Level::avx2) ? Level::avx2 : Level::baseline;
}

Distance distance_of(Metric metric, Datatype datatype, Level level) {
    if (!supported(level)) throw std::invalid_argument("this processor lacks the instructions");
    return metric == Metric::dot ? of_type<Metric::dot>(datatype, level) : of_type<Metric::squared>(datatype, level);
}

}  // namespace headwater
