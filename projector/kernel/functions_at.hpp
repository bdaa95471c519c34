// Included behind every_level.hpp, where LANES_FILE has [functions] for each set of instructions.

// Those of one. Throws std::invalid_argument where the processor lacks its instructions.
const auto& functions_at(Level level) {
    if (!supported(level)) throw std::invalid_argument("this processor lacks the instructions");
#ifdef HEADWATER_X86
    if (level == Level::avx512) return avx512::functions;
    if (level == Level::avx2) return avx2::functions;
#endif
    return baseline::functions;
}
