// What code that is compiled for several sets of instructions needs to know of them.
#pragma once

#if defined(__x86_64__)
#define HEADWATER_X86 1
#if defined(__GNUC__) && !defined(__clang__)
// GCC's own header starts a value with itself, on purpose.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#define TARGET_AVX2 __attribute__((target("avx2,fma,f16c")))
#define TARGET_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx2,fma,f16c")))
#endif

// Keeps a product from being added up without having been rounded, so that all instructions give the same sum.
#if defined(__x86_64__)
#define ROUNDED(value) asm("" : "+v"(value))
#elif defined(__aarch64__)
#define ROUNDED(value) asm("" : "+w"(value))
#else
#define ROUNDED(value)
#endif
