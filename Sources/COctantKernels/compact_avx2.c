// Compact rows by AVX2, FMA and F16C.
#if defined(__x86_64__)
#include "compact_floats_row.h"
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

// The exponent of each code, in both halves.
struct exponents {
    __m256i by_code;
};

static inline struct exponents exponents(uint8_t largest) {
    __m128i codes = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m128i e = _mm_insert_epi8(_mm_sub_epi8(_mm_set1_epi8((char)largest), codes), 0, OK_FLOATS_ZERO);
    return (struct exponents){_mm256_broadcastsi128_si256(e)};
}

// Four floats' bytes begin at byte 0 of the lower half and at byte 4 of the upper one.
static inline __m256 join_floats(__m128i low, __m128i high, uint32_t codes, const struct exponents *e) {
    // Three bytes become four, the third of which stands twice: its uppermost bit is the sign.
    const __m256i bytes = _mm256_setr_epi8(0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11,  //
                                           4, 5, 6, 6, 7, 8, 9, 9, 10, 11, 12, 12, 13, 14, 15, 15);
    const __m256i shifts = _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28);
    __m256i fractions = _mm256_shuffle_epi8(_mm256_set_m128i(high, low), bytes);
    __m256i places = _mm256_srlv_epi32(_mm256_set1_epi32((int)codes), shifts);
    places = _mm256_and_si256(places, _mm256_set1_epi32(15));
    __m256i exponents = _mm256_srli_epi32(_mm256_slli_epi32(_mm256_shuffle_epi8(e->by_code, places), 24), 1);
    fractions = _mm256_and_si256(fractions, _mm256_set1_epi32((int)0x807fffff));
    return _mm256_castsi256_ps(_mm256_or_si256(fractions, exponents));
}

static inline __m256 floats(const struct packed_row *row, size_t i, const struct exponents *e) {
    const uint8_t *p = row->fractions + 3 * i;
    uint32_t codes;
    __builtin_memcpy(&codes, row->differences + i / 2, 4);
    return join_floats(_mm_loadu_si128((const __m128i *)p), _mm_loadu_si128((const __m128i *)(p + 8)), codes, e);
}

static inline __m256 floats_tail(const struct packed_row *row, size_t i, size_t left, const struct exponents *e) {
    uint8_t part[24] = {0};
    uint32_t codes = 0;
    for (size_t j = 0; j < 3 * left; j++) part[j] = row->fractions[3 * i + j];
    for (size_t j = 0; j < (left + 1) / 2; j++) codes |= (uint32_t)row->differences[i / 2 + j] << 8 * j;
    __m256 all = join_floats(_mm_loadu_si128((const __m128i *)part), _mm_loadu_si128((const __m128i *)(part + 8)),
                             codes, e);
    __m256i mask = _mm256_loadu_si256((const __m256i *)(tail_mask + 8 - left));
    return _mm256_and_ps(all, _mm256_castsi256_ps(mask));
}

#define FMADD _mm256_fmadd_ps
#define SUB _mm256_sub_ps
#define STORE _mm256_storeu_ps
#include "compact_metrics.h"

#pragma clang attribute pop

void ok_compact_fill_avx2(struct ok_compact_table *t) { OK_COMPACT_FILL(t); }
#endif
