// Included by distance.cpp through every_level.hpp, which tells what LANES_TARGET and the like are.
// Whatever that is, sums are of the same numbers in the same order.

typedef float Floats __attribute__((vector_size(LANES_BYTES), aligned(4), may_alias));
typedef std::int32_t Bits __attribute__((vector_size(LANES_BYTES), aligned(4), may_alias));
typedef std::uint8_t Bytes __attribute__((vector_size(LANES_BYTES / 4), aligned(1), may_alias));

constexpr std::size_t width = LANES_BYTES / sizeof(float);
constexpr std::size_t registers = distance_lanes / width;
// Rows that are compared together, so that an addition need not wait for the one before it.
constexpr std::size_t beside = LANES_BYTES == 16 ? 2 : 4;

LANES_TARGET inline Floats taken(const float* values) { return *reinterpret_cast<const Floats*>(values); }

// By whole numbers in between: straight to float32 compilers go one by one.
LANES_TARGET inline Floats taken(const std::uint8_t* values) {
#if LANES_BYTES == 64
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(values))));
#elif LANES_BYTES == 32
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(values))));
#else
    return __builtin_convertvector(__builtin_convertvector(*reinterpret_cast<const Bytes*>(values), Bits), Floats);
#endif
}

LANES_TARGET inline Floats taken(const Half* values) {
#if defined(LANES_HALVES) && LANES_BYTES == 64
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(values)));
#elif defined(LANES_HALVES)
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(values)));
#else
    Floats wide;
    for (std::size_t lane = 0; lane < width; ++lane) wide[lane] = widen(values[lane]);
    return wide;
#endif
}

template <Metric metric>
LANES_TARGET inline Floats term(Floats row, Floats query) {
    const Floats one = metric == Metric::dot ? row : row - query;
    Floats product = one * (metric == Metric::dot ? query : one);
    ROUNDED(product);
    return product;
}

// The sums of a row added up, each to the one half of them further on, until one is left.
template <Metric metric>
LANES_TARGET inline float finished(const Floats* sums) {
    Floats one = sums[0];
    if constexpr (registers == 2) one += sums[1];
    if constexpr (registers == 4) one = (one + sums[2]) + (sums[1] + sums[3]);
#if LANES_BYTES == 64
    const __m512d all = reinterpret_cast<__m512d>(one);
    const __m256 eight = _mm512_castps512_ps256(one) + reinterpret_cast<__m256>(_mm512_extractf64x4_pd(all, 1));
    const __m128 four = _mm256_castps256_ps128(eight) + _mm256_extractf128_ps(eight, 1);
#elif LANES_BYTES == 32
    const __m128 four = _mm256_castps256_ps128(one) + _mm256_extractf128_ps(one, 1);
#else
    const Floats four = one;
#endif
    const float sum = (four[0] + four[2]) + (four[1] + four[3]);
    return metric == Metric::dot ? 1.0f - sum : sum;
}

// Of [some] rows of at least [distance_lanes] values.
template <Metric metric, class T, std::size_t some>
LANES_TARGET inline void compare(const void* const* rows, const float* query, std::size_t dim, float* out) {
    const T* values[some];
    Floats sums[some][registers];
    for (std::size_t row = 0; row < some; ++row) {
        values[row] = static_cast<const T*>(rows[row]);
        for (std::size_t r = 0; r < registers; ++r) sums[row][r] = Floats{};
    }
    std::size_t at = 0;
    for (; at + distance_lanes <= dim; at += distance_lanes)
        for (std::size_t r = 0; r < registers; ++r)
            for (std::size_t row = 0; row < some; ++row)
                sums[row][r] += term<metric>(taken(values[row] + at + r * width), taken(query + at + r * width));
    if (at < dim) {
        const std::int32_t* chosen = last_lanes + (dim - at);
        for (std::size_t r = 0; r < registers; ++r) {
            const std::size_t from = dim - distance_lanes + r * width;
            const Bits counted = *reinterpret_cast<const Bits*>(chosen + r * width);
            for (std::size_t row = 0; row < some; ++row) {
                const Floats all = term<metric>(taken(values[row] + from), taken(query + from));
                sums[row][r] += reinterpret_cast<Floats>(reinterpret_cast<Bits>(all) & counted);
            }
        }
    }
    for (std::size_t row = 0; row < some; ++row) out[row] = finished<metric>(sums[row]);
}

template <Metric metric, class T>
LANES_TARGET inline float compare_short(const void* row, const float* query, std::size_t dim) {
    float values[2][distance_lanes] = {};
    for (std::size_t at = 0; at < dim; ++at) {
        values[0][at] = widen(static_cast<const T*>(row)[at]);
        values[1][at] = query[at];
    }
    const void* filled = values[0];
    float found;
    compare<metric, float, 1>(&filled, values[1], distance_lanes, &found);
    return found;
}

template <Metric metric, class T>
LANES_TARGET void distances(const void* const* rows, std::size_t count, const void* query, std::size_t dim, float* out) {
    const float* values = static_cast<const float*>(query);
    std::size_t at = 0;
    if (dim < distance_lanes) {
        for (; at < count; ++at) out[at] = compare_short<metric, T>(rows[at], values, dim);
        return;
    }
    for (; at + beside <= count; at += beside) compare<metric, T, beside>(rows + at, values, dim, out + at);
    for (; at < count; ++at) compare<metric, T, 1>(rows + at, values, dim, out + at);
}

const ByDatatype functions[2] = {
    {distances<Metric::dot, float>, distances<Metric::dot, Half>, distances<Metric::dot, std::uint8_t>},
    {distances<Metric::squared, float>, distances<Metric::squared, Half>, distances<Metric::squared, std::uint8_t>},
};
