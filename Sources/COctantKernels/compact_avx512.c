// Compact rows by AVX-512 (F, BW, VL, DQ).
#if defined(__x86_64__)
#include "compact_floats_row.h"
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

// The exponent of each code, in place.
struct exponents {
    __m512i by_code;
};

static inline struct exponents exponents(uint8_t largest) {
    __m512i codes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m512i e = _mm512_and_si512(_mm512_sub_epi32(_mm512_set1_epi32(largest), codes), _mm512_set1_epi32(255));
    return (struct exponents){_mm512_maskz_slli_epi32(0x7fff, e, 23)};
}

static inline __m512 join_floats(__m512i fractions, __m512i codes, const struct exponents *e) {
    // Three bytes become four, the third of which stands twice: its uppermost bit is the sign.
    const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11);
    const __m512i bytes =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11));
    const __m512i shifts = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28);
    fractions = _mm512_shuffle_epi8(_mm512_permutexvar_epi32(lanes, fractions), bytes);
    // Of the codes, the permutation looks at the lowest four bits.
    __m512i exponents = _mm512_permutexvar_epi32(_mm512_srlv_epi32(codes, shifts), e->by_code);
    return _mm512_castsi512_ps(
        _mm512_ternarylogic_epi32(fractions, _mm512_set1_epi32((int)0x807fffff), exponents, 0xea));
}

static inline __m512i half_and_half(uint32_t low, uint32_t high) {
    return _mm512_mask_set1_epi32(_mm512_set1_epi32((int)low), 0xff00, (int)high);
}

static inline __m512 floats(const struct packed_row *row, size_t i, const struct exponents *e) {
    uint32_t codes[2];
    __builtin_memcpy(codes, row->differences + i / 2, 8);
    return join_floats(_mm512_maskz_loadu_epi32(0xfff, row->fractions + 3 * i), half_and_half(codes[0], codes[1]), e);
}

static inline __m512 floats_tail(const struct packed_row *row, size_t i, size_t left, const struct exponents *e) {
    __m512i fractions = _mm512_maskz_loadu_epi8(((__mmask64)1 << 3 * left) - 1, row->fractions + 3 * i);
    __m128i few = _mm_maskz_loadu_epi8(first((left + 1) / 2), row->differences + i / 2);
    uint64_t codes = (uint64_t)_mm_cvtsi128_si64(few);
    __m512 all = join_floats(fractions, half_and_half((uint32_t)codes, (uint32_t)(codes >> 32)), e);
    return _mm512_maskz_mov_ps(first(left), all);
}

#define FMADD _mm512_fmadd_ps
#define SUB _mm512_sub_ps
#define STORE _mm512_storeu_ps
#include "compact_metrics.h"

#pragma clang attribute pop

void ok_compact_fill_avx512(struct ok_compact_table *t) { OK_COMPACT_FILL(t); }
#endif
