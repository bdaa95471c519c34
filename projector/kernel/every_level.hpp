// Includes LANES_FILE once for each set of instructions, in a namespace of its name, with LANES_TARGET and LANES_BYTES,
// the width of a register; with LANES_HALVES where there are instructions for float16.

namespace baseline {
#define LANES_TARGET
#define LANES_BYTES 16
#include LANES_FILE
#undef LANES_TARGET
#undef LANES_BYTES
}  // namespace baseline

#ifdef HEADWATER_X86
#define LANES_HALVES
namespace avx2 {
#define LANES_TARGET TARGET_AVX2
#define LANES_BYTES 32
#include LANES_FILE
#undef LANES_TARGET
#undef LANES_BYTES
}  // namespace avx2

namespace avx512 {
#define LANES_TARGET TARGET_AVX512
#define LANES_BYTES 64
#include LANES_FILE
#undef LANES_TARGET
#undef LANES_BYTES
}  // namespace avx512
#undef LANES_HALVES
#endif
