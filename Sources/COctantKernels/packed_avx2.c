// Packed codes by AVX2. Levels are below 128, so that pairs of products with signed bytes stay within 16 bits.
#if defined(__x86_64__)
#include "packed_kernels.h"
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,popcnt"))), apply_to = function)

#define V __m256i
#define ZERO _mm256_setzero_si256()
#define REDUCE4I reduce4i
#define LOADQ(p) _mm256_loadu_si256((const __m256i *)(p))
// Rows are whole 16 bytes, so that is what a rest of them has.
#define PART(p) ((void)left, _mm256_zextsi128_si256(_mm_loadu_si128((const __m128i *)(p))))
#define TABLE(p) _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(p)))
#define LOOK _mm256_shuffle_epi8
#define DOT(s, level, x) _mm256_add_epi32(s, pairs(_mm256_maddubs_epi16(level, x)))
#define SAD(s, level, x) _mm256_add_epi64(s, _mm256_sad_epu8(level, x))

static inline __m256i pairs(__m256i products) { return _mm256_madd_epi16(products, _mm256_set1_epi16(1)); }

static inline void reduce4i(__m256i a, __m256i b, __m256i c, __m256i d, int32_t extra, int32_t *out) {
    __m256i s = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    __m128i r = _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
    _mm_storeu_si128((__m128i *)out, _mm_sub_epi32(r, _mm_set1_epi32(extra)));
}

static inline __m256i low(__m256i r) { return _mm256_and_si256(r, _mm256_set1_epi8(15)); }
static inline __m256i high(__m256i r) {
    return _mm256_and_si256(_mm256_srli_epi16(r, 4), _mm256_set1_epi8(15));
}

// ---- one bit: 32 bits become bytes of ones and zeros ----

#define RB 4
#define ROW(p) load_mask(p)
static inline __m256i load_mask(const uint8_t *p) {
    int32_t word;
    __builtin_memcpy(&word, p, 4);
    const __m256i spread = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3,
                                            3, 3, 3, 3, 3, 3, 3);
    const __m256i bit = _mm256_set1_epi64x((long long)0x8040201008040201);
    __m256i x = _mm256_and_si256(_mm256_shuffle_epi8(_mm256_set1_epi32(word), spread), bit);
    return _mm256_cmpeq_epi8(x, bit);
}

#define METRIC(name) dot1_##name
#define SETUP const V ones = _mm256_set1_epi8(1)
#define QUERY(LD, i) const V x = LD(q + 8 * (i))
#define STEP(s, m) s = DOT(s, ones, _mm256_and_si256(m, x))
#include "packed_rows.h"

#define METRIC(name) sad1_##name
#define SETUP const V clear = _mm256_set1_epi8((char)levels[0]), set = _mm256_set1_epi8((char)levels[1])
#define QUERY(LD, i) const V x = LD(q + 8 * (i))
#define STEP(s, m) s = SAD(s, _mm256_blendv_epi8(clear, set, m), x)
#include "packed_rows.h"

#undef RB
#undef ROW
#define RB 32
#define ROW LOADQ
#define PARTROW PART

// ---- 2 bits: a byte's halves each hold two codes, and a table for either ----

static inline __m256i dot2(__m256i s, __m256i r, __m256i x0, __m256i x1, __m256i x2, __m256i x3, __m256i a, __m256i b) {
    __m256i l = low(r), h = high(r);
    s = DOT(DOT(s, LOOK(a, l), x0), LOOK(b, l), x1);
    return DOT(DOT(s, LOOK(a, h), x2), LOOK(b, h), x3);
}
static inline __m256i sad2(__m256i s, __m256i r, __m256i x0, __m256i x1, __m256i x2, __m256i x3, __m256i a, __m256i b) {
    __m256i l = low(r), h = high(r);
    s = SAD(SAD(s, LOOK(a, l), x0), LOOK(b, l), x1);
    return SAD(SAD(s, LOOK(a, h), x2), LOOK(b, h), x3);
}

#define QUERY2(LD, i)                                                                                                 \
    const V x0 = LD(q + (i)), x1 = LD(q + bytes + (i)), x2 = LD(q + 2 * bytes + (i)), x3 = LD(q + 3 * bytes + (i))
#define METRIC(name) dot2_##name
#define SETUP const V a = TABLE(levels), b = TABLE(levels + 16)
#define QUERY QUERY2
#define STEP(s, r) s = dot2(s, r, x0, x1, x2, x3, a, b)
#define EXTRA 0
#include "packed_rows.h"
#define METRIC(name) sad2_##name
#define SETUP const V a = TABLE(levels), b = TABLE(levels + 16)
#define QUERY QUERY2
#define STEP(s, r) s = sad2(s, r, x0, x1, x2, x3, a, b)
#define EXTRA 4 * levels[0]
#include "packed_rows.h"

// ---- 4 bits ----

#define QUERY4(LD, i) const V x0 = LD(q + (i)), x1 = LD(q + bytes + (i))
#define METRIC(name) dot4_##name
#define SETUP const V a = TABLE(levels)
#define QUERY QUERY4
#define STEP(s, r) step4(DOT, s, r)
#define step4(OP, s, r)                                                                                               \
    do {                                                                                                              \
        V row = r;                                                                                                    \
        s = OP(OP(s, LOOK(a, low(row)), x0), LOOK(a, high(row)), x1);                                                 \
    } while (0)
#define EXTRA 0
#include "packed_rows.h"
#define METRIC(name) sad4_##name
#define SETUP const V a = TABLE(levels)
#define QUERY QUERY4
#define STEP(s, r) step4(SAD, s, r)
#define EXTRA 2 * levels[0]
#include "packed_rows.h"

// ---- 8 bits: |q| * (k - 128 with q's sign) ----

static inline __m256i dot8(__m256i s, __m256i u, __m256i x) {
    __m256i c = _mm256_xor_si256(u, _mm256_set1_epi8((char)0x80));
    return DOT(s, _mm256_abs_epi8(x), _mm256_sign_epi8(c, x));
}

#define METRIC(name) dot8_##name
#define SETUP
#define QUERY(LD, i) const V x = LD(q + (i))
#define STEP(s, r) s = dot8(s, r, x)
#define EXTRA 0
#include "packed_rows.h"
#define METRIC(name) sad8_##name
#define SETUP
#define QUERY(LD, i) const V x = LD(q + (i))
#define STEP(s, r) s = SAD(s, r, x)
#define EXTRA 0
#include "packed_rows.h"

// ---- differing bits, by the 64-bit population count ----

#undef V
#undef ZERO
#undef REDUCE4I
#undef LOADQ
#undef RB
#undef ROW
#undef PARTROW
#define V uint64_t
#define ZERO 0
#define RB 8
#define LOADQ(p) load_word(p)
#define ROW LOADQ
#define REDUCE4I reduce4w

static inline uint64_t load_word(const uint8_t *p) {
    uint64_t word;
    __builtin_memcpy(&word, p, 8);
    return word;
}

static inline void reduce4w(uint64_t a, uint64_t b, uint64_t c, uint64_t d, int32_t extra, int32_t *out) {
    (void)extra;
    out[0] = (int32_t)a, out[1] = (int32_t)b, out[2] = (int32_t)c, out[3] = (int32_t)d;
}

#define METRIC(name) differing_##name
#define SETUP
#define QUERY(LD, i) const V x = LD(q + (i))
#define STEP(s, r) s += (uint64_t)__builtin_popcountll(x ^ (r))
#include "packed_rows.h"

#pragma clang attribute pop

void ok_fill_packed_avx2(struct ok_packed_table *t) {
    t->dot[0] = OK_PACKED(dot1), t->dot[1] = OK_PACKED(dot2), t->dot[2] = OK_PACKED(dot4), t->dot[3] = OK_PACKED(dot8);
    t->sad[0] = OK_PACKED(sad1), t->sad[1] = OK_PACKED(sad2), t->sad[2] = OK_PACKED(sad4), t->sad[3] = OK_PACKED(sad8);
    t->differing = OK_PACKED(differing);
}
#endif
