// Sums of table entries with AVX-512 VBMI: a table of 256 bytes lies in four registers, and two permutations look up 64
// rows at once. Rows are stored one after another, so tiles of 64 rows by 64 codes are turned round first, which costs
// less than half of what the lookups do.
#if defined(__x86_64__)
#include "include/octant_product.h"
#include <immintrin.h>

#pragma clang attribute push(                                                                                         \
    __attribute__((target("avx2,fma,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512vbmi"))), apply_to = function)

// Turns 16 rows of 64 bytes round within their 16-byte lanes: byte r of lane L of out[k] is byte 16 L + k of row r.
static inline void turn(const uint8_t *const *rows, size_t at, __mmask64 mask, __m512i *out) {
    __m512i a[16], b[16];
    for (int i = 0; i < 16; i++) a[i] = _mm512_maskz_loadu_epi8(mask, rows[i] + at);
    for (int i = 0; i < 8; i++) {
        b[2 * i] = _mm512_unpacklo_epi8(a[i], a[i + 8]);
        b[2 * i + 1] = _mm512_unpackhi_epi8(a[i], a[i + 8]);
    }
    for (int i = 0; i < 8; i++) {
        a[2 * i] = _mm512_unpacklo_epi8(b[i], b[i + 8]);
        a[2 * i + 1] = _mm512_unpackhi_epi8(b[i], b[i + 8]);
    }
    for (int i = 0; i < 8; i++) {
        b[2 * i] = _mm512_unpacklo_epi8(a[i], a[i + 8]);
        b[2 * i + 1] = _mm512_unpackhi_epi8(a[i], a[i + 8]);
    }
    for (int i = 0; i < 8; i++) {
        out[2 * i] = _mm512_unpacklo_epi8(b[i], b[i + 8]);
        out[2 * i + 1] = _mm512_unpackhi_epi8(b[i], b[i + 8]);
    }
}

// Sums in 16 bits: `whole` of pairs of bytes taken as one number, modulo 2^16, and `high` of their high bytes.
struct sums {
    __m512i whole, high;
};

static inline void add(struct sums *s, const uint8_t *table, __m512i codes) {
    __m512i low = _mm512_permutex2var_epi8(_mm512_loadu_si512(table), codes, _mm512_loadu_si512(table + 64));
    __m512i high =
        _mm512_permutex2var_epi8(_mm512_loadu_si512(table + 128), codes, _mm512_loadu_si512(table + 192));
    __m512i v = _mm512_mask_blend_epi8(_mm512_movepi8_mask(codes), low, high);
    s->whole = _mm512_add_epi16(s->whole, v);
    s->high = _mm512_add_epi16(s->high, _mm512_srli_epi16(v, 8));
}

// Adds the sums to 64 integers and clears them: even rows are the low bytes, odd rows the high ones.
static inline void flush(struct sums *s, int32_t *out) {
    __m512i even = _mm512_sub_epi16(s->whole, _mm512_slli_epi16(s->high, 8));
    for (int half = 0; half < 2; half++) {
        __m512i e = _mm512_cvtepu16_epi32(half ? _mm512_extracti64x4_epi64(even, 1) : _mm512_castsi512_si256(even));
        __m512i o =
            _mm512_cvtepu16_epi32(half ? _mm512_extracti64x4_epi64(s->high, 1) : _mm512_castsi512_si256(s->high));
        const __m512i first = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        const __m512i second = _mm512_add_epi32(first, _mm512_set1_epi32(8));
        int32_t *p = out + 32 * half;
        _mm512_storeu_si512(p, _mm512_add_epi32(_mm512_loadu_si512(p), _mm512_permutex2var_epi32(e, first, o)));
        _mm512_storeu_si512(p + 16,
                            _mm512_add_epi32(_mm512_loadu_si512(p + 16), _mm512_permutex2var_epi32(e, second, o)));
    }
    s->whole = s->high = _mm512_setzero_si512();
}

// 64 rows, of which groups of 16 from `groups` on are left out (their sums are of no use).
static void sums_tile(const uint8_t *table, const uint8_t *const *rows, size_t groups, size_t n, int32_t *out) {
    __m512i turned[4][16];
    struct sums s = {_mm512_setzero_si512(), _mm512_setzero_si512()};
    for (int i = 0; i < 64; i += 16) _mm512_storeu_si512(out + i, _mm512_setzero_si512());
    for (size_t g = groups; g < 4; g++)
        for (int k = 0; k < 16; k++) turned[g][k] = _mm512_setzero_si512();
    for (size_t at = 0; at < n; at += 64) {
        size_t left = n - at;
        for (size_t g = 0; g < groups; g++)
            turn(rows + 16 * g, at, left >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << left) - 1, turned[g]);
        // 255 * 256 is the most that 16 bits hold: a sum of four tiles.
        if (at > 0 && at % 256 == 0) flush(&s, out);
        const uint8_t *t = table + at * OK_CENTROIDS;
        for (size_t k = 0; k < 16 && k < left; k++) {
            // Four groups of four lanes: lane L of all groups together is code 16 L + k of 64 rows.
            __m512i a = _mm512_shuffle_i32x4(turned[0][k], turned[1][k], 0x44);
            __m512i c = _mm512_shuffle_i32x4(turned[2][k], turned[3][k], 0x44);
            add(&s, t + k * OK_CENTROIDS, _mm512_shuffle_i32x4(a, c, 0x88));
            if (left > 16 + k) add(&s, t + (16 + k) * OK_CENTROIDS, _mm512_shuffle_i32x4(a, c, 0xdd));
            if (left <= 32 + k) continue;
            a = _mm512_shuffle_i32x4(turned[0][k], turned[1][k], 0xee);
            c = _mm512_shuffle_i32x4(turned[2][k], turned[3][k], 0xee);
            add(&s, t + (32 + k) * OK_CENTROIDS, _mm512_shuffle_i32x4(a, c, 0x88));
            if (left > 48 + k) add(&s, t + (48 + k) * OK_CENTROIDS, _mm512_shuffle_i32x4(a, c, 0xdd));
        }
    }
    flush(&s, out);
}

// Below so many rows a tile is more work than loading entry by entry.
enum { LEAST_TILE = 8 };

static void sums_few(const uint8_t *table, const uint8_t *const *rows, size_t count, size_t n, int32_t *out) {
    for (size_t i = 0; i < count; i += 4) {
        const uint8_t *r0 = rows[i], *r1 = rows[i + 1 < count ? i + 1 : i], *r2 = rows[i + 2 < count ? i + 2 : i];
        const uint8_t *r3 = rows[i + 3 < count ? i + 3 : i];
        int32_t s[4] = {0, 0, 0, 0};
        const uint8_t *t = table;
#pragma clang loop vectorize(disable)
        for (size_t j = 0; j < n; j++, t += OK_CENTROIDS) {
            s[0] += t[r0[j]];
            s[1] += t[r1[j]];
            s[2] += t[r2[j]];
            s[3] += t[r3[j]];
        }
        for (size_t k = 0; k < 4 && i + k < count; k++) out[i + k] = s[k];
    }
}

static inline void sums_rows(const uint8_t *table, const uint8_t **rows, size_t count, size_t n, int32_t *out) {
    if (count < LEAST_TILE) return sums_few(table, rows, count, n, out);
    size_t groups = (count + 15) / 16;
    for (size_t i = count; i < 16 * groups; i++) rows[i] = rows[0];
    if (count == 64) return sums_tile(table, rows, 4, n, out);
    int32_t all[64];
    sums_tile(table, rows, groups, n, all);
    __builtin_memcpy(out, all, count * sizeof *out);
}

static void sums_gather(const uint8_t *table, const uint8_t *base, size_t stride, const uint32_t *ids, size_t count,
                        int32_t *out) {
    const uint8_t *rows[64];
    for (size_t i = 0; i < count; i += 64) {
        size_t now = count - i < 64 ? count - i : 64;
        for (size_t k = 0; k < now; k++) {
            rows[k] = base + (size_t)ids[i + k] * stride;
            // The last byte too: a row need not begin where a cache line does.
            for (size_t at = 0; at < stride; at += 64) __builtin_prefetch(rows[k] + at);
            __builtin_prefetch(rows[k] + stride - 1);
        }
        sums_rows(table, rows, now, stride, out + i);
    }
}

static void sums_batch(const uint8_t *table, const uint8_t *base, size_t stride, size_t count, int32_t *out) {
    const uint8_t *rows[64];
    for (size_t i = 0; i < count; i += 64) {
        size_t now = count - i < 64 ? count - i : 64;
        for (size_t k = 0; k < now; k++) rows[k] = base + (i + k) * stride;
        sums_rows(table, rows, now, stride, out + i);
    }
}

#pragma clang attribute pop

void ok_fill_product_vbmi(struct ok_product_table *t) {
    t->sums_gather = sums_gather;
    t->sums_batch = sums_batch;
}
#endif
