// Scans of sign codes by AVX2: four components of a line are looked up, then two.
#if defined(__x86_64__)
#include "scan_kernels.h"
#include <immintrin.h>

#pragma STDC FP_CONTRACT OFF
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)

static inline __m256i look(const uint8_t *tables, const uint8_t *half, size_t line) {
    __m256i row = _mm256_loadu_si256((const __m256i *)(const void *)(half + line * OK_SCAN_ROWS));
    const __m128i *table = (const __m128i *)(const void *)(tables + line * OK_SCAN_TABLE + 64);
    __m256i four = _mm256_broadcastsi128_si256(_mm_loadu_si128(table));
    __m256i two = _mm256_broadcastsi128_si256(_mm_loadu_si128(table + 1));
    __m256i low = _mm256_and_si256(row, _mm256_set1_epi8(15));
    __m256i high = _mm256_and_si256(_mm256_srli_epi16(row, 4), _mm256_set1_epi8(3));
    return _mm256_add_epi8(_mm256_shuffle_epi8(four, low), _mm256_shuffle_epi8(two, high));
}

static inline void finish(__m128i sums, const float *factors, __m256 constant, __m256 offset, __m256 step,
                          float *out) {
    __m256 sum = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(sums));
    __m256 dot = _mm256_add_ps(offset, _mm256_mul_ps(step, sum));
    __m256 score =
        _mm256_add_ps(_mm256_loadu_ps(factors + OK_SCAN_ROWS), _mm256_mul_ps(_mm256_loadu_ps(factors), dot));
    _mm256_storeu_ps(out, _mm256_add_ps(constant, score));
}

// Rows `at` to `at + 31` of a block.
static inline void half_block(const uint8_t *tables, struct ok_scan_query query, const uint8_t *block, size_t lines,
                              size_t at, float *out) {
    const __m256 constant = _mm256_set1_ps(query.constant), offset = _mm256_set1_ps(query.offset);
    const __m256 step = _mm256_set1_ps(query.step);
    __m256i whole = _mm256_setzero_si256(), odd = whole;
    for (size_t k = 0; k < lines; k++) {
        __m256i v = look(tables, block + at, k);
        whole = _mm256_add_epi16(whole, v);
        odd = _mm256_add_epi16(odd, _mm256_srli_epi16(v, 8));
    }
    __m256i even = _mm256_sub_epi16(whole, _mm256_slli_epi16(odd, 8));
    __m256i low = _mm256_unpacklo_epi16(even, odd), high = _mm256_unpackhi_epi16(even, odd);
    const float *factors = (const float *)(const void *)(block + lines * OK_SCAN_ROWS) + at;
    finish(_mm256_castsi256_si128(low), factors, constant, offset, step, out);
    finish(_mm256_castsi256_si128(high), factors + 8, constant, offset, step, out + 8);
    finish(_mm256_extracti128_si256(low, 1), factors + 16, constant, offset, step, out + 16);
    finish(_mm256_extracti128_si256(high, 1), factors + 24, constant, offset, step, out + 24);
}

void ok_scan_avx2(const uint8_t *tables, struct ok_scan_query query, const uint8_t *blocks, size_t lines, size_t count,
                  float *out) {
    for (size_t b = 0; b < count; b++, blocks += ok_scan_block_bytes(lines), out += OK_SCAN_ROWS) {
        half_block(tables, query, blocks, lines, 0, out);
        half_block(tables, query, blocks, lines, 32, out + 32);
    }
}

#pragma clang attribute pop
#endif
