// AVX-512 kernels (F, BW, VL, DQ), and the byte dot product by VNNI.
#if defined(__x86_64__)
#include "distance_kernels.h"
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512bw,avx512vl,avx512dq"))), apply_to = function)

#define V __m512
#define W 16
#define ZERO _mm512_setzero_ps()
#define LOAD _mm512_loadu_ps
#define ADD _mm512_add_ps
#define TAIL tail
#define REDUCE4 reduce4

static inline __m512 tail(const float *p, size_t left) {
    return _mm512_maskz_loadu_ps((__mmask16)((1u << left) - 1), p);
}

static inline __m256 fold(__m512 a) { return _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1)); }

static inline void reduce4(__m512 a, __m512 b, __m512 c, __m512 d, float *out) {
    __m256 s = _mm256_hadd_ps(_mm256_hadd_ps(fold(a), fold(b)), _mm256_hadd_ps(fold(c), fold(d)));
    _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1)));
}

static inline __m512 square_step(__m512 s, __m512 x, __m512 y) {
    __m512 d = _mm512_sub_ps(x, y);
    return _mm512_fmadd_ps(d, d, s);
}

#define METRIC(name) dot_##name
#define STEP(s, x, y) s = _mm512_fmadd_ps(x, y, s)
#include "distance_f32.h"
#define METRIC(name) l2_##name
#define STEP(s, x, y) s = square_step(s, x, y)
#include "distance_f32.h"
#define METRIC(name) l1_##name
#define STEP(s, x, y) s = _mm512_add_ps(s, _mm512_abs_ps(_mm512_sub_ps(x, y)))
#include "distance_f32.h"

#undef V
#undef ZERO
#define V __m512i
#define B 64
#define ZERO _mm512_setzero_si512()
#define LOADB(p) _mm512_loadu_si512((const void *)(p))
#define REDUCE4I reduce4i

static inline __m256i foldi(__m512i a) {
    return _mm256_add_epi32(_mm512_castsi512_si256(a), _mm512_extracti32x8_epi32(a, 1));
}

static inline void reduce4i(__m512i a, __m512i b, __m512i c, __m512i d, int32_t correction, int32_t *out) {
    __m256i s = _mm256_hadd_epi32(_mm256_hadd_epi32(foldi(a), foldi(b)), _mm256_hadd_epi32(foldi(c), foldi(d)));
    __m128i r = _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
    _mm_storeu_si128((__m128i *)out, _mm_sub_epi32(r, _mm_set1_epi32(correction)));
}

#define METRIC(name) code_sad_##name
#define STEP(s, x, y) s = _mm512_add_epi64(s, _mm512_sad_epu8(x, y))
#define CORRECTION(qsum) ((void)(qsum), 0)
#include "distance_u8.h"

static void quantize(const float *x, size_t n, float center, float inverse, uint8_t *out) {
    const __m512 c = _mm512_set1_ps(center), f = _mm512_set1_ps(inverse);
    const __m512 low = _mm512_set1_ps(-127.0f), high = _mm512_set1_ps(127.0f);
    for (size_t i = 0; i < n; i += 16) {
        size_t left = n - i;
        __mmask16 m = left >= 16 ? (__mmask16)0xffff : (__mmask16)((1u << left) - 1);
        __m512 v = _mm512_mul_ps(_mm512_sub_ps(_mm512_maskz_loadu_ps(m, x + i), c), f);
        v = _mm512_min_ps(_mm512_max_ps(v, low), high);
        __m512i k = _mm512_add_epi32(_mm512_cvtps_epi32(v), _mm512_set1_epi32(128));
        _mm_mask_storeu_epi8(out + i, m, _mm512_cvtepi32_epi8(k));
    }
}

static size_t above(const float *values, size_t count, float floor, uint32_t *out) {
    const __m512 f = _mm512_set1_ps(floor);
    __m512i index = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    size_t n = 0;
    for (size_t i = 0; i < count; i += 16) {
        size_t left = count - i;
        __mmask16 m = left >= 16 ? (__mmask16)0xffff : (__mmask16)((1u << left) - 1);
        __mmask16 hit = _mm512_mask_cmp_ps_mask(m, _mm512_maskz_loadu_ps(m, values + i), f, _CMP_GE_OQ);
        if (hit) {
            // Compressing in a register and storing under a mask: vpcompressd to memory is slow on Zen 4.
            int k = __builtin_popcount(hit);
            _mm512_mask_storeu_epi32(out + n, (__mmask16)((1u << k) - 1), _mm512_maskz_compress_epi32(hit, index));
            n += (size_t)k;
        }
        index = _mm512_add_epi32(index, _mm512_set1_epi32(16));
    }
    return n;
}

#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni"))),        \
                             apply_to = function)

#define METRIC(name) code_dot_##name
#define STEP(s, x, y) s = _mm512_dpbusd_epi32(s, y, x)
#define CORRECTION(qsum) ((qsum) * 128)
#include "distance_u8.h"

// The high halves are left where they are, 16 times too large, and the sum is put right at the end.
static inline void nibble_step(__m512i *low, __m512i *high, __m512i x, __m512i y, __m512i r) {
    const __m512i mask = _mm512_set1_epi8(15);
    *low = _mm512_dpbusd_epi32(*low, _mm512_and_si512(r, mask), x);
    *high = _mm512_dpbusd_epi32(*high, _mm512_andnot_si512(mask, r), y);
}

#define METRIC(name) nibble_dot_##name
#define STEP(low, high, x, y, r) nibble_step(&low, &high, x, y, r)
#define COMBINE(low, high) _mm512_add_epi32(low, _mm512_srai_epi32(high, 4))
#include "distance_u4.h"

#pragma clang attribute pop

void ok_fill_avx512(struct ok_kernel_table *t) {
    ok_fill_avx2(t);  // the byte dot product without VNNI
    t->dot = (struct ok_f32_metric){dot_one, dot_gather, dot_batch};
    t->l2 = (struct ok_f32_metric){l2_one, l2_gather, l2_batch};
    t->l1 = (struct ok_f32_metric){l1_one, l1_gather, l1_batch};
    t->code_sad = (struct ok_u8_metric){code_sad_gather, code_sad_batch};
    t->quantize = quantize;
    t->above = above;
}

void ok_fill_avx512_vnni(struct ok_kernel_table *t) {
    ok_fill_avx512(t);
    t->code_dot = (struct ok_u8_metric){code_dot_gather, code_dot_batch};
    t->nibble_dot = (struct ok_u8_metric){nibble_dot_gather, nibble_dot_batch};
    ok_fill_packed_avx512_vnni(&t->packed);
}
#endif
