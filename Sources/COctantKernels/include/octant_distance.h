// Distance kernels: dot product, squared Euclid and Manhattan over float rows and over 8-bit codes.
//
// No allocation, no I/O, no alignment assumed. The fastest set the processor has is chosen before main();
// ok_select_level() forces another one (tests). Within one level a pair of rows gives the same bits by
// `one`, `gather` and `batch`. The integer kernels give the same integers on every level.
#ifndef OCTANT_DISTANCE_H
#define OCTANT_DISTANCE_H

#include "octant_packed.h"
#include <stddef.h>
#include <stdint.h>

enum {
    OK_LEVEL_SCALAR = 0,
    OK_LEVEL_AVX2 = 1,
    OK_LEVEL_AVX512 = 2,
    OK_LEVEL_AVX512_VNNI = 3,
    OK_LEVEL_NEON = 4,
    OK_LEVEL_COUNT = 5
};

typedef float (*ok_f32_one_fn)(const float *a, const float *b, size_t n);
typedef void (*ok_f32_gather_fn)(const float *q, const float *base, size_t stride, size_t n, const uint32_t *ids,
                                 size_t count, float *out);
typedef void (*ok_f32_batch_fn)(const float *q, const float *base, size_t stride, size_t n, size_t count, float *out);
typedef void (*ok_u8_gather_fn)(const uint8_t *q, int32_t qsum, const uint8_t *base, size_t stride,
                                const uint32_t *ids, size_t count, int32_t *out);
typedef void (*ok_u8_batch_fn)(const uint8_t *q, int32_t qsum, const uint8_t *base, size_t stride, size_t count,
                               int32_t *out);

struct ok_f32_metric {
    ok_f32_one_fn one;
    ok_f32_gather_fn gather;
    ok_f32_batch_fn batch;
};

struct ok_u8_metric {
    ok_u8_gather_fn gather;
    ok_u8_batch_fn batch;
};

struct ok_kernel_table {
    struct ok_f32_metric dot, l2, l1;
    struct ok_u8_metric code_dot, code_sad, nibble_dot;
    struct ok_packed_table packed;
    void (*quantize)(const float *x, size_t n, float center, float inverse, uint8_t *out);
    int32_t (*code_query)(const uint8_t *codes, size_t stride, int8_t *out);
    size_t (*above)(const float *values, size_t count, float floor, uint32_t *out);
    int level;
};

/// The table in use. Written by the constructor and by ok_select_level() only.
extern struct ok_kernel_table ok_kernels;

/// The kernels of `level`; 0 if this processor or build has it not (`out` is then untouched), 1 if it has.
int ok_kernels_at(int level, struct ok_kernel_table *out);
/// Switches to `level`; 0 if this processor or build has it not (the table is then unchanged), 1 if it has.
/// Not for use while other threads run kernels.
int ok_select_level(int level);
/// The best level this processor has.
int ok_best_level(void);
/// The level in use.
static inline int ok_active_level(void) { return ok_kernels.level; }
/// Short name of a level, such as "avx512-vnni".
const char *ok_level_name(int level);

// ---- float rows: `stride` in floats, `n` the dimension ----

static inline float ok_dot(const float *a, const float *b, size_t n) { return ok_kernels.dot.one(a, b, n); }
/// Squared Euclidean distance.
static inline float ok_l2(const float *a, const float *b, size_t n) { return ok_kernels.l2.one(a, b, n); }
/// Manhattan distance.
static inline float ok_l1(const float *a, const float *b, size_t n) { return ok_kernels.l1.one(a, b, n); }
/// Squared length.
static inline float ok_norm2(const float *a, size_t n) { return ok_kernels.dot.one(a, a, n); }

static inline void ok_dot_gather(const float *q, const float *base, size_t stride, size_t n, const uint32_t *ids,
                                 size_t count, float *out) {
    ok_kernels.dot.gather(q, base, stride, n, ids, count, out);
}
static inline void ok_l2_gather(const float *q, const float *base, size_t stride, size_t n, const uint32_t *ids,
                                size_t count, float *out) {
    ok_kernels.l2.gather(q, base, stride, n, ids, count, out);
}
static inline void ok_l1_gather(const float *q, const float *base, size_t stride, size_t n, const uint32_t *ids,
                                size_t count, float *out) {
    ok_kernels.l1.gather(q, base, stride, n, ids, count, out);
}
static inline void ok_dot_batch(const float *q, const float *base, size_t stride, size_t n, size_t count, float *out) {
    ok_kernels.dot.batch(q, base, stride, n, count, out);
}
static inline void ok_l2_batch(const float *q, const float *base, size_t stride, size_t n, size_t count, float *out) {
    ok_kernels.l2.batch(q, base, stride, n, count, out);
}
static inline void ok_l1_batch(const float *q, const float *base, size_t stride, size_t n, size_t count, float *out) {
    ok_kernels.l1.batch(q, base, stride, n, count, out);
}

// ---- codes: rows of `stride` bytes, a multiple of 64; a code u stands for the integer u - 128 ----

/// out[i] = sum over the row of (u - 128) * q, q being signed bytes. `qsum` is the sum of q.
static inline void ok_code_dot_gather(const int8_t *q, int32_t qsum, const uint8_t *base, size_t stride,
                                      const uint32_t *ids, size_t count, int32_t *out) {
    ok_kernels.code_dot.gather((const uint8_t *)q, qsum, base, stride, ids, count, out);
}
static inline void ok_code_dot_batch(const int8_t *q, int32_t qsum, const uint8_t *base, size_t stride, size_t count,
                                     int32_t *out) {
    ok_kernels.code_dot.batch((const uint8_t *)q, qsum, base, stride, count, out);
}
/// out[i] = sum over the row of |u - q|, q being codes.
static inline void ok_code_sad_gather(const uint8_t *q, const uint8_t *base, size_t stride, const uint32_t *ids,
                                      size_t count, int32_t *out) {
    ok_kernels.code_sad.gather(q, 0, base, stride, ids, count, out);
}
static inline void ok_code_sad_batch(const uint8_t *q, const uint8_t *base, size_t stride, size_t count, int32_t *out) {
    ok_kernels.code_sad.batch(q, 0, base, stride, count, out);
}
/// out[i] = sum over the row of k * q, k being 4-bit codes as ok_pack_nibbles() lays them out. `stride` is a row's, the
/// query is twice as long.
static inline void ok_nibble_dot_gather(const int8_t *q, const uint8_t *base, size_t stride, const uint32_t *ids,
                                        size_t count, int32_t *out) {
    ok_kernels.nibble_dot.gather((const uint8_t *)q, 0, base, stride, ids, count, out);
}
static inline void ok_nibble_dot_batch(const int8_t *q, const uint8_t *base, size_t stride, size_t count,
                                       int32_t *out) {
    ok_kernels.nibble_dot.batch((const uint8_t *)q, 0, base, stride, count, out);
}
/// out[i] = 128 + round((x[i] - center) * inverse), clamped to 1...255. NaN gives 1.
static inline void ok_quantize(const float *x, size_t n, float center, float inverse, uint8_t *out) {
    ok_kernels.quantize(x, n, center, inverse, out);
}
/// Writes the indexes whose value is >= floor, ascending; returns how many. `out` has room for `count`.
static inline size_t ok_above(const float *values, size_t count, float floor, uint32_t *out) {
    return ok_kernels.above(values, count, floor, out);
}

/// Turns a row's codes into a signed query for ok_code_dot_*: out = code - 128. Returns the sum of out. May be done in
/// place.
static inline int32_t ok_code_query(const uint8_t *codes, size_t stride, int8_t *out) {
    return ok_kernels.code_query(codes, stride, out);
}
/// Sum of (code - 128)^2.
int32_t ok_code_norm2(const uint8_t *codes, size_t stride);
/// Packs the codes of a row of n into 4 bits: level k (0...15) stands for (k - 7.5) / inverse, in units of codes.
/// Writes (n + 127) / 128 * 64 bytes.
void ok_pack_nibbles(const uint8_t *codes, size_t n, float inverse, uint8_t *out);
/// Takes the upper (shift 4) or lower (0) halves of the codes of a row of `width`, a multiple of 128, in the order of
/// ok_pack_nibbles(). Writes width / 2 bytes.
void ok_half_codes(const uint8_t *codes, size_t width, int shift, uint8_t *out);
/// Makes whole codes of both halves of a row, of `stride` bytes each. Writes 2 * stride bytes.
void ok_join_codes(const uint8_t *upper, const uint8_t *lower, size_t stride, uint8_t *out);
/// Smallest and largest finite value; leaves both untouched for no finite value.
void ok_min_max(const float *x, size_t n, float *low, float *high);
/// Squared (or, with `manhattan`, absolute) sum of x[i] - (center + scale * (codes[i] - 128)).
float ok_code_residual(const float *x, size_t n, const uint8_t *codes, float center, float scale, int manhattan);
/// x *= factor.
void ok_scale(float *x, size_t n, float factor);

/// How many of the ascending `keys` are below `key`: binary search by conditional moves, its outcomes being as good as
/// random. Here and not in Swift because only C can say so to the compiler.
static inline size_t ok_rank(const uint64_t *keys, size_t count, uint64_t key) {
    const uint64_t *base = keys;
    if (count == 0) return 0;
    while (count > 1) {
        size_t half = count / 2;
        base = __builtin_unpredictable(base[half - 1] < key) ? base + half : base;
        count -= half;
    }
    return (size_t)(base - keys) + (*base < key);
}

static inline void ok_prefetch(const void *p) { __builtin_prefetch(p, 0, 3); }

#endif
