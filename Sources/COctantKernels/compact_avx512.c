// Compact rows by AVX-512 (F, BW, VL, DQ).
#if defined(__x86_64__)
#include "compact_kernels.h"
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512bw,avx512vl,avx512dq"))), apply_to = function)

#define V __m512
#define W 16
#define ZERO _mm512_setzero_ps()
#define LOAD _mm512_loadu_ps
#define ADD _mm512_add_ps
#define TAIL tail
#define REDUCE4 reduce4

static inline __mmask16 first(size_t left) { return (__mmask16)((1u << left) - 1); }

static inline __m512 tail(const float *p, size_t left) { return _mm512_maskz_loadu_ps(first(left), p); }

static inline __m256 fold(__m512 a) { return _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1)); }

static inline void reduce4(__m512 a, __m512 b, __m512 c, __m512 d, float *out) {
    __m256 s = _mm256_hadd_ps(_mm256_hadd_ps(fold(a), fold(b)), _mm256_hadd_ps(fold(c), fold(d)));
    _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1)));
}

static inline __m512 absolute(__m512 x) { return _mm512_abs_ps(x); }
static inline __m512 square_step(__m512 s, __m512 x, __m512 y) {
    __m512 d = _mm512_sub_ps(x, y);
    return _mm512_fmadd_ps(d, d, s);
}

static inline __m512 halves(const uint16_t *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }
static inline __m512 halves_tail(const uint16_t *p, size_t left) {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first(left), p));
}
static inline __m512 bytes(const uint8_t *p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p)));
}
static inline __m512 bytes_tail(const uint8_t *p, size_t left) {
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(first(left), p)));
}

#define FMADD _mm512_fmadd_ps
#define SUB _mm512_sub_ps
#define STORE _mm512_storeu_ps
#include "compact_metrics.h"

#pragma clang attribute pop

void ok_compact_fill_avx512(struct ok_compact_table *t) { OK_COMPACT_FILL(t); }
#endif
