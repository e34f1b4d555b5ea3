// AVX2 + FMA kernels.
#if defined(__x86_64__)
#include "distance_kernels.h"
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

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

#define METRIC(name) dot_##name
#define STEP(s, x, y) s = _mm256_fmadd_ps(x, y, s)
#include "distance_f32.h"
#define METRIC(name) l2_##name
#define STEP(s, x, y) s = square_step(s, x, y)
#include "distance_f32.h"
#define METRIC(name) l1_##name
#define STEP(s, x, y) s = _mm256_add_ps(s, absolute(_mm256_sub_ps(x, y)))
#include "distance_f32.h"

#undef V
#undef ZERO
#define V __m256i
#define B 32
#define ZERO _mm256_setzero_si256()
#define LOADB(p) _mm256_loadu_si256((const __m256i *)(p))
#define REDUCE4I reduce4i

static inline void reduce4i(__m256i a, __m256i b, __m256i c, __m256i d, int32_t correction, int32_t *out) {
    __m256i s = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    __m128i r = _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
    _mm_storeu_si128((__m128i *)out, _mm_sub_epi32(r, _mm_set1_epi32(correction)));
}

// |c| * (q with c's sign): pairs stay within 16 bits as long as one side is in -127...127, so nothing saturates.
static inline __m256i signed_step(__m256i s, __m256i q, __m256i u) {
    __m256i c = _mm256_xor_si256(u, _mm256_set1_epi8((char)0x80));
    __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(q), _mm256_sign_epi8(c, q));
    return _mm256_add_epi32(s, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

#define METRIC(name) code_dot_##name
#define STEP(s, x, y) s = signed_step(s, x, y)
#define CORRECTION(qsum) ((void)(qsum), 0)
#include "distance_u8.h"
#define METRIC(name) code_sad_##name
#define STEP(s, x, y) s = _mm256_add_epi64(s, _mm256_sad_epu8(x, y))
#define CORRECTION(qsum) ((void)(qsum), 0)
#include "distance_u8.h"

// Products of a 4-bit and a signed 8-bit number: pairs of them stay far within 16 bits.
static inline void nibble_step(__m256i *low, __m256i *high, __m256i x, __m256i y, __m256i r) {
    const __m256i mask = _mm256_set1_epi8(15), ones = _mm256_set1_epi16(1);
    __m256i l = _mm256_maddubs_epi16(_mm256_and_si256(r, mask), x);
    __m256i h = _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(r, 4), mask), y);
    *low = _mm256_add_epi32(*low, _mm256_madd_epi16(_mm256_add_epi16(l, h), ones));
    (void)high;
}

#define METRIC(name) nibble_dot_##name
#define STEP(low, high, x, y, r) nibble_step(&low, &high, x, y, r)
#define COMBINE(low, high) ((void)(high), low)
#include "distance_u4.h"

static void quantize(const float *x, size_t n, float center, float inverse, uint8_t *out) {
    const __m256 c = _mm256_set1_ps(center), f = _mm256_set1_ps(inverse);
    const __m256 low = _mm256_set1_ps(-127.0f), high = _mm256_set1_ps(127.0f);
    for (size_t i = 0; i < n; i += 8) {
        size_t left = n - i;
        __m256 v = _mm256_mul_ps(_mm256_sub_ps(left >= 8 ? LOAD(x + i) : tail(x + i, left), c), f);
        v = _mm256_min_ps(_mm256_max_ps(v, low), high);
        __m256i k = _mm256_add_epi32(_mm256_cvtps_epi32(v), _mm256_set1_epi32(128));
        __m128i w = _mm_packus_epi32(_mm256_castsi256_si128(k), _mm256_extracti128_si256(k, 1));
        uint64_t bytes = (uint64_t)_mm_cvtsi128_si64(_mm_packus_epi16(w, w));
        __builtin_memcpy(out + i, &bytes, left >= 8 ? 8 : left);
    }
}

// One pass: the sum is taken as unsigned bytes against zero, and 128 for each is taken off.
static int32_t code_query(const uint8_t *codes, size_t stride, int8_t *out) {
    __m256i sum = ZERO;
    for (size_t i = 0; i < stride; i += 32) {
        __m256i u = LOADB(codes + i);
        sum = _mm256_add_epi64(sum, _mm256_sad_epu8(u, ZERO));
        _mm256_storeu_si256((__m256i *)(out + i), _mm256_xor_si256(u, _mm256_set1_epi8((char)0x80)));
    }
    int64_t s[4];
    _mm256_storeu_si256((__m256i *)s, sum);
    return (int32_t)(s[0] + s[1] + s[2] + s[3] - 128 * (int64_t)stride);
}

#pragma clang attribute pop

void ok_fill_avx2(struct ok_kernel_table *t) {
    t->dot = (struct ok_f32_metric){dot_one, dot_gather, dot_batch};
    t->l2 = (struct ok_f32_metric){l2_one, l2_gather, l2_batch};
    t->l1 = (struct ok_f32_metric){l1_one, l1_gather, l1_batch};
    t->code_dot = (struct ok_u8_metric){code_dot_gather, code_dot_batch};
    t->code_sad = (struct ok_u8_metric){code_sad_gather, code_sad_batch};
    t->nibble_dot = (struct ok_u8_metric){nibble_dot_gather, nibble_dot_batch};
    t->code_query = code_query;
    t->quantize = quantize;
    ok_fill_packed_avx2(&t->packed);
}
#endif
