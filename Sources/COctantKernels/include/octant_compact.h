// Distances of a float query to rows that are kept in fewer bytes: IEEE halves, whole numbers of one byte, and floats
// packed without loss.
//
// No allocation, no I/O, no alignment beyond the element's own. The fastest set the processor has is chosen before
// main(). Rows are widened on the way and added in the order of the float kernels: by AVX2, AVX-512 and NEON a row
// gives the same bits as its floats would at that level, by one row, `gather` or `batch`.
#ifndef OCTANT_COMPACT_H
#define OCTANT_COMPACT_H

#include <stddef.h>
#include <stdint.h>

typedef void (*ok_half_gather_fn)(const float *q, const uint16_t *base, size_t stride, size_t n, const uint32_t *ids,
                                  size_t count, float *out);
typedef void (*ok_half_batch_fn)(const float *q, const uint16_t *base, size_t stride, size_t n, size_t count,
                                 float *out);
typedef void (*ok_byte_gather_fn)(const float *q, const uint8_t *base, size_t stride, size_t n, const uint32_t *ids,
                                  size_t count, float *out);
typedef void (*ok_byte_batch_fn)(const float *q, const uint8_t *base, size_t stride, size_t n, size_t count,
                                 float *out);

struct ok_half_metric {
    ok_half_gather_fn gather;
    ok_half_batch_fn batch;
};

struct ok_byte_metric {
    ok_byte_gather_fn gather;
    ok_byte_batch_fn batch;
};

enum {
    OK_METRIC_DOT = 0,
    /// The squared Euclidean distance.
    OK_METRIC_L2 = 1,
    /// The Manhattan distance.
    OK_METRIC_L1 = 2,
    OK_METRIC_COUNT = 3
};

/// Rows of packed floats: see docs/format/packed-floats.md. Nothing that a row says is believed: where it says what
/// cannot be, it gives other numbers, but nothing outside of these pieces of memory is read.
struct ok_floats {
    /// Row 0, and bytes from one row to the next.
    const uint8_t *base;
    size_t stride;
    /// The dimension, 2 to 65,536.
    size_t n;
    /// Rows that are kept whole, `n` floats each.
    const float *whole;
    uint32_t whole_count;
    /// Room for exceptions in a row.
    uint32_t slots;
};

enum {
    /// The largest difference of exponents that has a code, and the code of exponent 0.
    OK_FLOATS_DIFFERENCE_MAX = 14,
    OK_FLOATS_ZERO = 15,
    /// In the place of the number of exceptions: the row is kept whole elsewhere.
    OK_FLOATS_WHOLE = 255
};

typedef void (*ok_floats_gather_fn)(const float *q, const struct ok_floats *rows, const uint32_t *ids, size_t count,
                                    float *out);
typedef void (*ok_floats_batch_fn)(const float *q, const struct ok_floats *rows, size_t start, size_t count,
                                   float *out);

struct ok_floats_metric {
    ok_floats_gather_fn gather;
    ok_floats_batch_fn batch;
};

/// By metric. `stride` is in elements, `n` the dimension.
struct ok_compact_table {
    struct ok_half_metric half[OK_METRIC_COUNT];
    struct ok_byte_metric byte[OK_METRIC_COUNT];
    struct ok_floats_metric floats[OK_METRIC_COUNT];
    void (*floats_decode)(const struct ok_floats *rows, size_t row, float *out);
    void (*half_decode)(const uint16_t *x, size_t n, float *out);
    void (*byte_decode)(const uint8_t *x, size_t n, float *out);
    int level;
};

/// The table in use. Written by the constructor and by ok_select_level() only.
extern struct ok_compact_table ok_compact;

/// The kernels of a level of octant_distance.h; 0 if this processor or build has it not, 1 if it has.
int ok_compact_at(int level, struct ok_compact_table *out);

static inline void ok_half_gather(int metric, const float *q, const uint16_t *base, size_t stride, size_t n,
                                  const uint32_t *ids, size_t count, float *out) {
    ok_compact.half[metric].gather(q, base, stride, n, ids, count, out);
}
static inline void ok_half_batch(int metric, const float *q, const uint16_t *base, size_t stride, size_t n,
                                 size_t count, float *out) {
    ok_compact.half[metric].batch(q, base, stride, n, count, out);
}
static inline void ok_byte_gather(int metric, const float *q, const uint8_t *base, size_t stride, size_t n,
                                  const uint32_t *ids, size_t count, float *out) {
    ok_compact.byte[metric].gather(q, base, stride, n, ids, count, out);
}
static inline void ok_byte_batch(int metric, const float *q, const uint8_t *base, size_t stride, size_t n,
                                 size_t count, float *out) {
    ok_compact.byte[metric].batch(q, base, stride, n, count, out);
}

/// Halves as floats, exactly.
static inline void ok_half_decode(const uint16_t *x, size_t n, float *out) { ok_compact.half_decode(x, n, out); }
/// Bytes as floats.
static inline void ok_byte_decode(const uint8_t *x, size_t n, float *out) { ok_compact.byte_decode(x, n, out); }

/// Distances of a query to rows of packed floats: the same bits as the rows' floats give.
static inline void ok_floats_gather(int metric, const float *q, const struct ok_floats *rows, const uint32_t *ids,
                                    size_t count, float *out) {
    ok_compact.floats[metric].gather(q, rows, ids, count, out);
}
static inline void ok_floats_batch(int metric, const float *q, const struct ok_floats *rows, size_t start, size_t count,
                                   float *out) {
    ok_compact.floats[metric].batch(q, rows, start, count, out);
}
/// The `n` floats of a row.
static inline void ok_floats_decode(const struct ok_floats *rows, size_t row, float *out) {
    ok_compact.floats_decode(rows, row, out);
}

/// Bytes of a row of `n` packed floats with room for some exceptions: a multiple of 4.
static inline size_t ok_floats_stride(size_t n, uint32_t slots) { return (3 * n + (n + 1) / 2 + 5 + 3 * slots) / 4 * 4; }
/// How many of the floats are exceptions.
size_t ok_floats_exceptions(const float *x, size_t n);
/// Packs `n` floats; 0, with nothing of use at `row`, if there are more exceptions than slots.
int ok_floats_encode(const float *x, size_t n, uint32_t slots, uint8_t *row);
/// Writes a row that is kept whole, as number `place` of those.
void ok_floats_mark(uint32_t place, size_t n, uint32_t slots, uint8_t *row);
/// The number of a row among those that are kept whole; -1: it is packed, -2: it is neither as written by the two above.
int64_t ok_floats_place(const struct ok_floats *rows, size_t row);

/// The nearest halves, ties to even; infinity where that is too small.
void ok_half_encode(const float *x, size_t n, uint16_t *out);
/// The whole numbers next to zero, clamped to 0...255. NaN gives 0.
void ok_byte_encode(const float *x, size_t n, uint8_t *out);

#endif
