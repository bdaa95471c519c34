// Included by maxsim.cpp through every_level.hpp, which tells what LANES_TARGET and the like are.

// What is added up at a time, so that it stays in registers: of the narrowest there are too few for more.
constexpr std::size_t most_bytes = LANES_BYTES == 16 ? 64 : 128;

template <class T>
struct Register;
template <>
struct Register<float> {
    typedef float Values __attribute__((vector_size(LANES_BYTES), aligned(4), may_alias));
    typedef std::int32_t Bits __attribute__((vector_size(LANES_BYTES), aligned(4), may_alias));
    static constexpr std::int32_t without_sign = 0x7fffffff;
};
template <>
struct Register<double> {
    typedef double Values __attribute__((vector_size(LANES_BYTES), aligned(8), may_alias));
    typedef std::int64_t Bits __attribute__((vector_size(LANES_BYTES), aligned(8), may_alias));
    static constexpr std::int64_t without_sign = 0x7fffffffffffffff;
};

template <class T, Measure measure, std::size_t bytes>
LANES_TARGET inline void compare_some(const T* one, const T* two, std::size_t dim, const T* queries, std::size_t filled,
                                      T* most) {
    using Values = typename Register<T>::Values;
    using Bits = typename Register<T>::Bits;
    constexpr std::size_t width = LANES_BYTES / sizeof(T);
    constexpr std::size_t registers = bytes / LANES_BYTES;
    Values first[registers], second[registers];
    for (std::size_t r = 0; r < registers; ++r) first[r] = second[r] = Values{};
    for (std::size_t at = 0; at < dim; ++at) {
        const T a = one[at], b = two[at];
        for (std::size_t r = 0; r < registers; ++r) {
            const Values query = *reinterpret_cast<const Values*>(queries + at * filled + r * width);
            if (measure == Measure::dot) {
                first[r] += query * a;
                second[r] += query * b;
                continue;
            }
            Values from_a = query - a, from_b = query - b;
            if (measure == Measure::euclid) {
                from_a *= from_a;
                from_b *= from_b;
                ROUNDED(from_a);
                ROUNDED(from_b);
            } else {
                from_a = reinterpret_cast<Values>(reinterpret_cast<Bits>(from_a) & Register<T>::without_sign);
                from_b = reinterpret_cast<Values>(reinterpret_cast<Bits>(from_b) & Register<T>::without_sign);
            }
            first[r] -= from_a;
            second[r] -= from_b;
        }
    }
    for (std::size_t r = 0; r < registers; ++r) {
        const Values known = *reinterpret_cast<const Values*>(most + r * width);
        const Values larger = first[r] > second[r] ? first[r] : second[r];
        *reinterpret_cast<Values*>(most + r * width) = larger > known ? larger : known;
    }
}

// Two vectors, [one] and [two], beside each of the query's: [most] keeps the largest similarity to each. [queries] are
// turned: the first value of all, filled up to [filled] of them, then the second.
template <class T, Measure measure>
LANES_TARGET void compare_two(const T* one, const T* two, std::size_t dim, const T* queries, std::size_t filled,
                              T* most) {
    constexpr std::size_t many = most_bytes / sizeof(T), few = filled_bytes / sizeof(T);
    std::size_t from = 0;
    for (; from + many <= filled; from += many)
        compare_some<T, measure, most_bytes>(one, two, dim, queries + from, filled, most + from);
    for (; from < filled; from += few)
        compare_some<T, measure, filled_bytes>(one, two, dim, queries + from, filled, most + from);
}

template <class T>
CompareTwo<T> compare_of(Measure measure) {
    if (measure == Measure::euclid) return compare_two<T, Measure::euclid>;
    return measure == Measure::manhattan ? compare_two<T, Measure::manhattan> : compare_two<T, Measure::dot>;
}
