// A pseudo-random rotation by Hadamard transforms (Ailon and Chazelle 2009, "The fast Johnson-Lindenstrauss transform"),
// for any number of dimensions by transforming overlapping powers of two and mixing the halves by butterflies (Gao and Long
// 2024, "RaBitQ", do likewise).
#include "octant_packed.h"

#define ALWAYS static inline __attribute__((always_inline))

static uint64_t mix(uint64_t x) {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

// Flips the signs that the round's bits say.
ALWAYS void flip(float *x, size_t n, uint64_t seed, int round) {
    for (size_t start = 0; start < n; start += 64) {
        uint64_t bits = mix(seed ^ mix((uint64_t)round << 32 | start));
        size_t count = n - start < 64 ? n - start : 64;
        for (size_t i = 0; i < count; i++) {
            uint32_t word;
            __builtin_memcpy(&word, x + start + i, 4);
            word ^= (uint32_t)(bits >> i & 1) << 31;
            __builtin_memcpy(x + start + i, &word, 4);
        }
    }
}

// The normalised Hadamard transform of p numbers, p a power of two. It is its own inverse.
ALWAYS void hadamard(float *x, size_t p) {
    for (size_t h = 1; h < p; h *= 2)
        for (size_t i = 0; i < p; i += 2 * h)
            for (size_t j = i; j < i + h; j++) {
                float a = x[j], b = x[j + h];
                x[j] = a + b;
                x[j + h] = a - b;
            }
    float scale = 1.0f / __builtin_sqrtf((float)p);
    for (size_t i = 0; i < p; i++) x[i] *= scale;
}

// Each number of the first half against one of the last half; the middle one of an odd number is left alone. It is its own
// inverse.
ALWAYS void butterfly(float *x, size_t n) {
    const float scale = 0.70710678f;
    size_t half = n / 2;
    float *y = x + (n - half);
    for (size_t i = 0; i < half; i++) {
        float a = x[i], b = y[i];
        x[i] = (a + b) * scale;
        y[i] = (a - b) * scale;
    }
}

ALWAYS void turn(float *x, size_t n, uint64_t seed, int back) {
    if (n == 0) return;
    size_t p = 1;
    while (p <= n / 2) p *= 2;
    int rounds = p == n ? 2 : 4;
    for (int r = 0; r < rounds; r++) {
        int round = back ? rounds - 1 - r : r;
        float *part = round % 2 ? x + (n - p) : x;
        if (!back) {
            flip(x, n, seed, round);
            hadamard(part, p);
            if (p < n) butterfly(x, n);
        } else {
            if (p < n) butterfly(x, n);
            hadamard(part, p);
            flip(x, n, seed, round);
        }
    }
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void turn_avx2(float *x, size_t n, uint64_t seed, int back) {
    turn(x, n, seed, back);
}
#endif

static void turn_any(float *x, size_t n, uint64_t seed, int back) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        turn_avx2(x, n, seed, back);
        return;
    }
#endif
    turn(x, n, seed, back);
}

void ok_rotate(float *x, size_t n, uint64_t seed) { turn_any(x, n, seed, 0); }
void ok_unrotate(float *x, size_t n, uint64_t seed) { turn_any(x, n, seed, 1); }
