// Packed codes by AVX-512 with VNNI.
#if defined(__x86_64__)
#include "packed_kernels.h"
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni"))),        \
                             apply_to = function)

#define V __m512i
#define ZERO _mm512_setzero_si512()
#define REDUCE4I reduce4i
#define LOADQ(p) _mm512_loadu_si512((const void *)(p))
#define PART(p) _mm512_maskz_loadu_epi8((1ull << left) - 1, p)
#define TABLE(p) _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(p)))
#define LOOK _mm512_shuffle_epi8
#define DOT(s, level, x) _mm512_dpbusd_epi32(s, level, x)
#define SAD(s, level, x) _mm512_add_epi64(s, _mm512_sad_epu8(level, x))

static inline __m256i fold(__m512i a) {
    return _mm256_add_epi32(_mm512_castsi512_si256(a), _mm512_extracti32x8_epi32(a, 1));
}

static inline void reduce4i(__m512i a, __m512i b, __m512i c, __m512i d, int32_t extra, int32_t *out) {
    __m256i s = _mm256_hadd_epi32(_mm256_hadd_epi32(fold(a), fold(b)), _mm256_hadd_epi32(fold(c), fold(d)));
    __m128i r = _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
    _mm_storeu_si128((__m128i *)out, _mm_sub_epi32(r, _mm_set1_epi32(extra)));
}

static inline __m512i low(__m512i r) { return _mm512_and_si512(r, _mm512_set1_epi8(15)); }
static inline __m512i high(__m512i r) {
    return _mm512_and_si512(_mm512_srli_epi16(r, 4), _mm512_set1_epi8(15));
}

// ---- one bit: a row's bits are masks of the query's bytes ----

#define RB 8
#define ROW(p) load_mask(p)
static inline __mmask64 load_mask(const uint8_t *p) {
    uint64_t m;
    __builtin_memcpy(&m, p, 8);
    return m;
}

#define METRIC(name) dot1_##name
#define SETUP const V ones = _mm512_set1_epi8(1)
#define QUERY(LD, i) const V x = LD(q + 8 * (i))
#define STEP(s, m) s = DOT(s, ones, _mm512_maskz_mov_epi8(m, x))
#include "packed_rows.h"

#define METRIC(name) sad1_##name
#define SETUP const V clear = _mm512_set1_epi8((char)levels[0]), set = _mm512_set1_epi8((char)levels[1])
#define QUERY(LD, i) const V x = LD(q + 8 * (i))
#define STEP(s, m) s = SAD(s, _mm512_mask_blend_epi8(m, clear, set), x)
#include "packed_rows.h"

#undef RB
#undef ROW
#define RB 64
#define ROW LOADQ
#define PARTROW PART

// ---- 2 bits: a byte's halves each hold two codes, and a table for either ----

static inline __m512i dot2(__m512i s, __m512i r, __m512i x0, __m512i x1, __m512i x2, __m512i x3, __m512i a, __m512i b) {
    __m512i l = low(r), h = high(r);
    s = DOT(DOT(s, LOOK(a, l), x0), LOOK(b, l), x1);
    return DOT(DOT(s, LOOK(a, h), x2), LOOK(b, h), x3);
}
static inline __m512i sad2(__m512i s, __m512i r, __m512i x0, __m512i x1, __m512i x2, __m512i x3, __m512i a, __m512i b) {
    __m512i l = low(r), h = high(r);
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

// ---- 8 bits: codes are unsigned, so 128 times the query is taken off ----

#define METRIC(name) dot8_##name
#define SETUP const V offset = _mm512_set1_epi8((char)128)
#define QUERY(LD, i) const V x = LD(q + (i)), y = _mm512_dpbusd_epi32(ZERO, offset, x)
#define STEP(s, r) s = DOT(_mm512_sub_epi32(s, y), r, x)
#define EXTRA 0
#include "packed_rows.h"
#define METRIC(name) sad8_##name
#define SETUP
#define QUERY(LD, i) const V x = LD(q + (i))
#define STEP(s, r) s = SAD(s, r, x)
#define EXTRA 0
#include "packed_rows.h"

#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512bw,avx512vl,avx512dq,avx512vpopcntdq"))),   \
                             apply_to = function)

#define METRIC(name) differing_##name
#define SETUP
#define QUERY(LD, i) const V x = LD(q + (i))
#define STEP(s, r) s = _mm512_add_epi64(s, _mm512_popcnt_epi64(_mm512_xor_si512(x, r)))
#define EXTRA 0
#include "packed_rows.h"

#pragma clang attribute pop

void ok_fill_packed_avx512_vnni(struct ok_packed_table *t) {
    ok_fill_packed_avx2(t);
    t->dot[0] = OK_PACKED(dot1), t->dot[1] = OK_PACKED(dot2), t->dot[2] = OK_PACKED(dot4), t->dot[3] = OK_PACKED(dot8);
    t->sad[0] = OK_PACKED(sad1), t->sad[1] = OK_PACKED(sad2), t->sad[2] = OK_PACKED(sad4), t->sad[3] = OK_PACKED(sad8);
    if (__builtin_cpu_supports("avx512vpopcntdq")) t->differing = OK_PACKED(differing);
}
#endif
