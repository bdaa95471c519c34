// Included by files that every_level.hpp includes: [exact_lanes] numbers in float64, and their sum in one order.

typedef double Doubles __attribute__((vector_size(LANES_BYTES), aligned(8), may_alias));
typedef std::int64_t Bits __attribute__((vector_size(LANES_BYTES), aligned(8), may_alias));

constexpr std::size_t width = LANES_BYTES / sizeof(double);
constexpr std::size_t registers = exact_lanes / width;

#define LANES_AT(pointer) (*reinterpret_cast<const Doubles*>(pointer))

LANES_TARGET inline double together(Doubles* sums) {
    for (std::size_t half = registers / 2; half > 0; half /= 2)
        for (std::size_t r = 0; r < half; ++r) sums[r] += sums[r + half];
    double lanes[width];
    std::memcpy(lanes, sums, sizeof lanes);
    for (std::size_t half = width / 2; half > 0; half /= 2)
        for (std::size_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
    return lanes[0];
}
