// Distances of a float query to rows that are kept in fewer bytes: IEEE halves and whole numbers of one byte.
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

/// By metric. `stride` is in elements, `n` the dimension.
struct ok_compact_table {
    struct ok_half_metric half[OK_METRIC_COUNT];
    struct ok_byte_metric byte[OK_METRIC_COUNT];
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

/// The nearest halves, ties to even; infinity where that is too small.
void ok_half_encode(const float *x, size_t n, uint16_t *out);
/// The whole numbers next to zero, clamped to 0...255. NaN gives 0.
void ok_byte_encode(const float *x, size_t n, uint8_t *out);

#endif
