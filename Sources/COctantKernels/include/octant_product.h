// Kernels of product quantisation: lookup tables and their sums, levels of single components, and encoding.
//
// No allocation, no I/O, no alignment assumed. Chosen together with the distance kernels (octant_distance.h). The sums
// of table entries are the same integers on every level; floats are the same within a level, and agree to rounding
// between levels.
//
// A codebook of a sub-space of `width` components has 256 centroids, kept component by component: component c of
// centroid k is at [c * 256 + k].
#ifndef OCTANT_PRODUCT_H
#define OCTANT_PRODUCT_H

#include <stddef.h>
#include <stdint.h>

enum { OK_CENTROIDS = 256, OK_MOST_WIDTH = 16 };

/// What a table holds for a query: products, minus the squared or minus the absolute difference.
enum { OK_PRODUCT_DOT = 0, OK_PRODUCT_L2 = 1, OK_PRODUCT_L1 = 2 };

struct ok_product_table {
    void (*sums_gather)(const uint8_t *table, const uint8_t *base, size_t stride, const uint32_t *ids, size_t count,
                        int32_t *out);
    void (*sums_batch)(const uint8_t *table, const uint8_t *base, size_t stride, size_t count, int32_t *out);
    void (*levels_gather)(int metric, const float *q, const float *scales, const uint8_t *base, size_t n,
                          const uint32_t *ids, size_t count, float *out);
    void (*levels_batch)(int metric, const float *q, const float *scales, const uint8_t *base, size_t n, size_t count,
                         float *out);
    void (*similarities)(int metric, const float *q, size_t n, size_t width, const float *centroids, float *out);
    void (*pack)(const float *similarities, size_t tables, float *least, float *step, uint8_t *out);
    void (*nearest)(const float *x, size_t stride, size_t count, size_t width, const float *centroids,
                    const float *halves, uint8_t *out, size_t out_stride);
    void (*to_levels)(const float *x, size_t n, const float *offsets, const float *inverses, uint8_t *out);
};

/// The table in use. Written by ok_select_product() only.
extern struct ok_product_table ok_product;

/// The kernels of a level that the processor has (see octant_distance.h; `ok_kernels_at` says which it has).
void ok_product_at(int level, struct ok_product_table *out);
/// Switches to such a level; called by ok_select_level().
void ok_select_product(int level);

/// out[i] = sum over j of table[j * 256 + row[j]]: rows of `stride` bytes, one table of 256 entries for each byte.
static inline void ok_product_sums_gather(const uint8_t *table, const uint8_t *base, size_t stride,
                                          const uint32_t *ids, size_t count, int32_t *out) {
    ok_product.sums_gather(table, base, stride, ids, count, out);
}
static inline void ok_product_sums_batch(const uint8_t *table, const uint8_t *base, size_t stride, size_t count,
                                         int32_t *out) {
    ok_product.sums_batch(table, base, stride, count, out);
}
/// Rows of n bytes, a byte u of component i standing for scales[i] * u. out[i] = the sum of q * scales * u, or minus the
/// sum of (q - scales * u)^2 or of |q - scales * u|. For products `q` is already multiplied by the scales.
static inline void ok_product_levels_gather(int metric, const float *q, const float *scales, const uint8_t *base,
                                            size_t n, const uint32_t *ids, size_t count, float *out) {
    ok_product.levels_gather(metric, q, scales, base, n, ids, count, out);
}
static inline void ok_product_levels_batch(int metric, const float *q, const float *scales, const uint8_t *base,
                                           size_t n, size_t count, float *out) {
    ok_product.levels_batch(metric, q, scales, base, n, count, out);
}
/// Similarities of a query's sub-vectors with the centroids of their sub-spaces, 256 for each; the last sub-space has
/// what is left of the n components. Clamped to +-1e33, which no sum of 65,536 takes out of range; NaN becomes -1e33.
static inline void ok_product_similarities(int metric, const float *q, size_t n, size_t width, const float *centroids,
                                           float *out) {
    ok_product.similarities(metric, q, n, width, centroids, out);
}
/// Tables in 8 bits: entry e of any table stands for step * e above the least similarity of its table. `least` is the
/// sum of these. `out` may begin where `similarities` does.
static inline void ok_product_pack(const float *similarities, size_t tables, float *least, float *step, uint8_t *out) {
    ok_product.pack(similarities, tables, least, step, out);
}
/// For `count` sub-vectors, `stride` floats apart, the number of the nearest centroid (Euclid; the lower one of two
/// equally near), `out_stride` bytes apart. halves[k] is half the squared length of centroid k.
static inline void ok_product_nearest(const float *x, size_t stride, size_t count, size_t width,
                                      const float *centroids, const float *halves, uint8_t *out, size_t out_stride) {
    ok_product.nearest(x, stride, count, width, centroids, halves, out, out_stride);
}
/// out[i] = round((x[i] - offsets[i]) * inverses[i]), clamped to 0...255. NaN gives 0.
static inline void ok_product_to_levels(const float *x, size_t n, const float *offsets, const float *inverses,
                                        uint8_t *out) {
    ok_product.to_levels(x, n, offsets, inverses, out);
}
/// halves[k] of the centroids of one sub-space.
void ok_product_halves(const float *centroids, size_t width, float *halves);

#endif
