// Rows of packed codes: 1, 2, 4 or 8 bits a component, compared with a query of bytes.
// One bit in blocks of rows, for scans alone, is in octant_scan.h.
//
// Layout of a row of `bytes` bytes (a multiple of 8; of 16 above one bit). One bit: component c is bit c % 8 of byte c / 8.
// More bits: component c is in byte c % bytes, at bit (c / bytes) * bits. A query has one byte for every component that a
// row has room for, in the components' order; behind the last real one it holds what adds nothing.
//
// A code k of 1, 2 or 4 bits stands for the integer levels[k] (0...127) that ok_packed_levels() gives; one of 8 bits for
// itself. The integers are the same on every level of instructions.
#ifndef OCTANT_PACKED_H
#define OCTANT_PACKED_H

#include <stddef.h>
#include <stdint.h>

/// What a kernel computes for each row. `levels` are 32 bytes, `stride` is from one row to the next.
typedef void (*ok_packed_gather_fn)(const uint8_t *q, const uint8_t *levels, const uint8_t *base, size_t stride,
                                    size_t bytes, const uint32_t *ids, size_t count, int32_t *out);
typedef void (*ok_packed_batch_fn)(const uint8_t *q, const uint8_t *levels, const uint8_t *base, size_t stride,
                                   size_t bytes, size_t count, int32_t *out);

struct ok_packed_metric {
    ok_packed_gather_fn gather;
    ok_packed_batch_fn batch;
};

/// Kernels for 1, 2, 4 and 8 bits.
struct ok_packed_table {
    /// The query is signed, -127...127. One bit: sum of q where the bit is set. 2 and 4 bits: sum of levels[k] * q.
    /// 8 bits: sum of (k - 128) * q.
    struct ok_packed_metric dot[4];
    /// Sum of |levels[k] - q|; 8 bits: of |k - q|. The query is unsigned.
    struct ok_packed_metric sad[4];
    /// How many bits of the row differ from the query's, which is a row's bytes.
    struct ok_packed_metric differing;
};

enum { OK_PACKED_DOT = 0, OK_PACKED_SAD = 1, OK_PACKED_DIFFERING = 2 };

/// The kernels in use for so many bits (1, 2, 4, 8).
struct ok_packed_metric ok_packed_kernels(int kind, int bits);

static inline void ok_packed_gather(struct ok_packed_metric m, const uint8_t *q, const uint8_t *levels,
                                    const uint8_t *base, size_t stride, size_t bytes, const uint32_t *ids, size_t count,
                                    int32_t *out) {
    m.gather(q, levels, base, stride, bytes, ids, count, out);
}
static inline void ok_packed_batch(struct ok_packed_metric m, const uint8_t *q, const uint8_t *levels,
                                   const uint8_t *base, size_t stride, size_t bytes, size_t count, int32_t *out) {
    m.batch(q, levels, base, stride, bytes, count, out);
}

/// 32 bytes for the kernels: the first 2^bits are the levels; for 2 bits byte k (0...15) is the level of the low two bits
/// of k, byte 16 + k that of the high two. Zeros for 8 bits.
const uint8_t *ok_packed_levels(int bits);
/// How many steps of the levels make one unit of the components they are meant for: components of variance 1. 0 for 8
/// bits.
float ok_packed_steps(int bits);

/// Writes the codes of n components, each the one whose level is nearest to 63.5 + x[i] * steps (8 bits: 128 + the nearest
/// integer, clamped to 1...255; steps is then the caller's). Room behind the last component gets code 0.
/// Returns the sum of x[i] * c, c being the level less 63.5 (one bit: -0.5 or 0.5; 8 bits: k - 128).
float ok_pack(const float *x, size_t n, int bits, float steps, size_t bytes, uint8_t *out);
/// Writes each component's c of ok_pack(), doubled unless there are 8 bits: a signed query. Returns the sum.
int32_t ok_unpack(const uint8_t *codes, size_t n, int bits, size_t bytes, int8_t *out);
/// Writes each component's c of ok_pack() for 4 or 8 bits.
void ok_unpack_floats(const uint8_t *codes, size_t n, int bits, size_t bytes, float *out);

/// Turns a vector by a fixed pseudo-random rotation of n dimensions, in place: 4 rounds (2 where n is a power of two) of
/// random signs, a Hadamard transform of the 2^k first or last components, and butterflies between the two halves. Exact
/// additions in a fixed order: the same bits everywhere.
void ok_rotate(float *x, size_t n, uint64_t seed);
/// The rotation back.
void ok_unrotate(float *x, size_t n, uint64_t seed);

#endif
