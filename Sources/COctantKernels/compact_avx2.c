// Compact rows by AVX2, FMA and F16C.
#if defined(__x86_64__)
#include "compact_kernels.h"
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#define V __m256
#define W 8
#define ZERO _mm256_setzero_ps()
#define LOAD _mm256_loadu_ps
#define ADD _mm256_add_ps
#define TAIL tail
#define REDUCE4 reduce4

static const int32_t tail_mask[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};

static inline __m256 tail(const float *p, size_t left) {
    return _mm256_maskload_ps(p, _mm256_loadu_si256((const __m256i *)(tail_mask + 8 - left)));
}

static inline void reduce4(__m256 a, __m256 b, __m256 c, __m256 d, float *out) {
    __m256 s = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
    _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1)));
}

static inline __m256 absolute(__m256 x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }
static inline __m256 square_step(__m256 s, __m256 x, __m256 y) {
    __m256 d = _mm256_sub_ps(x, y);
    return _mm256_fmadd_ps(d, d, s);
}

static inline __m256 halves(const uint16_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }
static inline __m256 bytes(const uint8_t *p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}

// Fewer than eight elements, the others 0; nothing behind them is read.
static inline __m256 halves_tail(const uint16_t *p, size_t left) {
    uint16_t part[8] = {0};
    size_t at = 0;
    if (left & 4) __builtin_memcpy(part, p, 8), at = 4;
    if (left & 2) __builtin_memcpy(part + at, p + at, 4), at += 2;
    if (left & 1) part[at] = p[at];
    return halves(part);
}

static inline __m256 bytes_tail(const uint8_t *p, size_t left) {
    uint8_t part[8] = {0};
    size_t at = 0;
    if (left & 4) __builtin_memcpy(part, p, 4), at = 4;
    if (left & 2) __builtin_memcpy(part + at, p + at, 2), at += 2;
    if (left & 1) part[at] = p[at];
    return bytes(part);
}

#define FMADD _mm256_fmadd_ps
#define SUB _mm256_sub_ps
#define STORE _mm256_storeu_ps
#include "compact_metrics.h"

#pragma clang attribute pop

void ok_compact_fill_avx2(struct ok_compact_table *t) { OK_COMPACT_FILL(t); }
#endif
