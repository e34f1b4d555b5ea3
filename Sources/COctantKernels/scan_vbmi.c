// Scans of sign codes by AVX-512 VBMI: one permutation looks up six components of 64 rows.
#if defined(__x86_64__)
#include "scan_kernels.h"
#include <immintrin.h>

#pragma STDC FP_CONTRACT OFF
#pragma clang attribute push(                                                                                         \
    __attribute__((target("avx2,fma,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512vbmi"))), apply_to = function)

static inline __m512i look(const uint8_t *tables, const uint8_t *block, size_t line) {
    return _mm512_permutexvar_epi8(_mm512_loadu_si512(block + line * OK_SCAN_ROWS),
                                   _mm512_loadu_si512(tables + line * OK_SCAN_TABLE));
}

static inline void finish(__m256i sums, const float *factors, __m512 constant, __m512 offset, __m512 step,
                          float *out) {
    __m512 sum = _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(sums));
    __m512 dot = _mm512_add_ps(offset, _mm512_mul_ps(step, sum));
    __m512 score = _mm512_add_ps(_mm512_loadu_ps(factors + OK_SCAN_ROWS),
                                 _mm512_mul_ps(_mm512_loadu_ps(factors), dot));
    _mm512_storeu_ps(out, _mm512_add_ps(constant, score));
}

void ok_scan_vbmi(const uint8_t *tables, struct ok_scan_query query, const uint8_t *blocks, size_t lines, size_t count,
                  float *out) {
    const __m512 constant = _mm512_set1_ps(query.constant), offset = _mm512_set1_ps(query.offset);
    const __m512 step = _mm512_set1_ps(query.step);
    for (size_t b = 0; b < count; b++, blocks += ok_scan_block_bytes(lines), out += OK_SCAN_ROWS) {
        // Sums in 16 bits: `whole` of pairs of bytes taken as one number, modulo 2^16, and `odd` of their high bytes.
        __m512i whole = _mm512_setzero_si512(), odd = whole;
        size_t k = 0;
        for (; k + 4 <= lines; k += 4) {
            __m512i v = _mm512_add_epi8(_mm512_add_epi8(look(tables, blocks, k), look(tables, blocks, k + 1)),
                                        _mm512_add_epi8(look(tables, blocks, k + 2), look(tables, blocks, k + 3)));
            whole = _mm512_add_epi16(whole, v);
            odd = _mm512_add_epi16(odd, _mm512_srli_epi16(v, 8));
        }
        for (; k < lines; k++) {
            __m512i v = look(tables, blocks, k);
            whole = _mm512_add_epi16(whole, v);
            odd = _mm512_add_epi16(odd, _mm512_srli_epi16(v, 8));
        }
        __m512i even = _mm512_sub_epi16(whole, _mm512_slli_epi16(odd, 8));
        // Rows 16 L to 16 L + 7 and 16 L + 8 to 16 L + 15 of lane L.
        __m512i low = _mm512_unpacklo_epi16(even, odd), high = _mm512_unpackhi_epi16(even, odd);
        const float *factors = (const float *)(const void *)(blocks + lines * OK_SCAN_ROWS);
#define LANE(L)                                                                                                       \
    finish(_mm256_inserti128_si256(_mm256_castsi128_si256(_mm512_extracti32x4_epi32(low, L)),                         \
                                   _mm512_extracti32x4_epi32(high, L), 1),                                            \
           factors + 16 * L, constant, offset, step, out + 16 * L)
        LANE(0);
        LANE(1);
        LANE(2);
        LANE(3);
#undef LANE
    }
}

#pragma clang attribute pop
#endif
