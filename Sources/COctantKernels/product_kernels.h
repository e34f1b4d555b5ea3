// Template: the kernels of product quantisation in plain C and vector extensions, compiled once for every instruction
// set. W is the number of floats in a register.
//
// Needs: PREFIX(name), W.
#include "include/octant_product.h"

typedef float PREFIX(vf) __attribute__((vector_size(W * 4), aligned(4)));
typedef int32_t PREFIX(vi) __attribute__((vector_size(W * 4), aligned(4)));
#define VF PREFIX(vf)
#define VI PREFIX(vi)
#define SPLAT(x) ((VF){0} + (x))

// ---- sums of table entries ----

// Four rows at a time: four chains of additions, and the tables' lines are shared.
static inline void PREFIX(sums_four)(const uint8_t *table, const uint8_t *r0, const uint8_t *r1, const uint8_t *r2,
                                     const uint8_t *r3, size_t n, int32_t *out) {
    uint32_t a = 0, b = 0, c = 0, d = 0;
#pragma clang loop vectorize(disable)
    for (size_t j = 0; j < n; j++, table += OK_CENTROIDS) {
        a += table[r0[j]];
        b += table[r1[j]];
        c += table[r2[j]];
        d += table[r3[j]];
    }
    out[0] = (int32_t)a;
    out[1] = (int32_t)b;
    out[2] = (int32_t)c;
    out[3] = (int32_t)d;
}

static void PREFIX(sums_gather)(const uint8_t *table, const uint8_t *base, size_t stride, const uint32_t *ids,
                                size_t count, int32_t *out) {
    for (size_t i = 0; i < count; i += 4) {
        const uint8_t *r[4];
        int32_t four[4];
        for (size_t k = 0; k < 4; k++) r[k] = base + (size_t)ids[i + k < count ? i + k : count - 1] * stride;
        for (size_t k = 4; k < 8 && i + k < count; k++) {
            const uint8_t *next = base + (size_t)ids[i + k] * stride;
            for (size_t at = 0; at < stride; at += 64) __builtin_prefetch(next + at);
        }
        PREFIX(sums_four)(table, r[0], r[1], r[2], r[3], stride, four);
        for (size_t k = 0; k < 4 && i + k < count; k++) out[i + k] = four[k];
    }
}

static void PREFIX(sums_batch)(const uint8_t *table, const uint8_t *base, size_t stride, size_t count, int32_t *out) {
    for (size_t i = 0; i < count; i += 4) {
        const uint8_t *r[4];
        int32_t four[4];
        for (size_t k = 0; k < 4; k++) r[k] = base + (i + k < count ? i + k : count - 1) * stride;
        PREFIX(sums_four)(table, r[0], r[1], r[2], r[3], stride, four);
        for (size_t k = 0; k < 4 && i + k < count; k++) out[i + k] = four[k];
    }
}

// ---- levels of single components ----

static float PREFIX(levels_one)(int metric, const float *q, const float *scales, const uint8_t *row, size_t n) {
#pragma clang fp reassociate(on)
    const float lowest = -3.402823466e38f;
    float s = 0;
    switch (metric) {
    case OK_PRODUCT_DOT:
        for (size_t i = 0; i < n; i++) s += q[i] * (float)row[i];
        break;
    case OK_PRODUCT_L2:
        for (size_t i = 0; i < n; i++) {
            float d = q[i] - scales[i] * (float)row[i];
            s -= d * d;
        }
        break;
    default:
        for (size_t i = 0; i < n; i++) s -= __builtin_fabsf(q[i] - scales[i] * (float)row[i]);
    }
    // Sums that overflow are the lowest there are; NaN too.
    return s > lowest ? s : lowest;
}

static void PREFIX(levels_gather)(int metric, const float *q, const float *scales, const uint8_t *base, size_t n,
                                  const uint32_t *ids, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) {
        // Two rows ahead: a row takes less time than the memory does.
        if (i + 2 < count)
            for (size_t at = 0; at < n; at += 64) __builtin_prefetch(base + (size_t)ids[i + 2] * n + at);
        out[i] = PREFIX(levels_one)(metric, q, scales, base + (size_t)ids[i] * n, n);
    }
}

static void PREFIX(levels_batch)(int metric, const float *q, const float *scales, const uint8_t *base, size_t n,
                                 size_t count, float *out) {
    for (size_t i = 0; i < count; i++) out[i] = PREFIX(levels_one)(metric, q, scales, base + i * n, n);
}

// ---- tables ----

static void PREFIX(similarities)(int metric, const float *q, size_t n, size_t width, const float *centroids,
                                 float *out) {
    const float most = 1e33f;
    for (size_t at = 0; at < n; at += width, out += OK_CENTROIDS) {
        size_t w = n - at < width ? n - at : width;
        const float *table = centroids + at * OK_CENTROIDS;
        for (size_t k = 0; k < OK_CENTROIDS; k += W) {
            VF s = {0};
            for (size_t c = 0; c < w; c++) {
                VF y = *(const VF *)(table + c * OK_CENTROIDS + k);
                VF d = q[at + c] - y;
                s += metric == OK_PRODUCT_DOT ? q[at + c] * y
                     : metric == OK_PRODUCT_L2 ? d * (0 - d)
                                               : (VF)((VI)d | (int32_t)0x80000000);
            }
            for (size_t i = 0; i < W; i++) {
                float v = s[i] > -most ? s[i] : -most;
                out[k + i] = v < most ? v : most;
            }
        }
    }
}

static inline void PREFIX(range)(const float *x, float *least, float *most) {
    VF low = *(const VF *)x, high = low;
    for (size_t k = W; k < OK_CENTROIDS; k += W) {
        VF v = *(const VF *)(x + k);
        VI less = v < low, more = v > high;
        low = (VF)(((VI)v & less) | ((VI)low & ~less));
        high = (VF)(((VI)v & more) | ((VI)high & ~more));
    }
    float l = low[0], h = high[0];
    for (size_t i = 1; i < W; i++) {
        l = low[i] < l ? low[i] : l;
        h = high[i] > h ? high[i] : h;
    }
    *least = l;
    *most = h;
}

static void PREFIX(pack)(const float *similarities, size_t tables, float *least, float *step, uint8_t *out) {
    float total = 0, widest = 0;
    for (size_t t = 0; t < tables; t++) {
        float l, h;
        PREFIX(range)(similarities + t * OK_CENTROIDS, &l, &h);
        total += l;
        widest = h - l > widest ? h - l : widest;
    }
    float inverse = 255 / widest;
    if (!(inverse > 0 && inverse <= 3.402823466e38f)) {
        widest = 0;
        inverse = 0;
    }
    *least = total;
    *step = widest / 255;
    for (size_t t = 0; t < tables; t++) {
        float l, h;
        PREFIX(range)(similarities + t * OK_CENTROIDS, &l, &h);
        // By way of a copy, because they may overwrite the floats of their own and of earlier tables.
        uint8_t bytes[OK_CENTROIDS];
        for (size_t k = 0; k < OK_CENTROIDS; k++) {
            int32_t e = (int32_t)((similarities[t * OK_CENTROIDS + k] - l) * inverse + 0.5f);
            bytes[k] = (uint8_t)(e > 255 ? 255 : e);
        }
        __builtin_memcpy(out + t * OK_CENTROIDS, bytes, OK_CENTROIDS);
    }
}

// ---- encoding ----

// |x - c|^2 = |x|^2 + 2 (|c|^2 / 2 - x c): W centroids side by side.
static inline uint8_t PREFIX(nearest_one)(const float *x, size_t width, const float *centroids, const float *halves) {
    VF best = SPLAT(__builtin_inff());
    VI index = {0}, at = {0};
    for (size_t i = 0; i < W; i++) at[i] = (int32_t)i;
    for (size_t k = 0; k < OK_CENTROIDS; k += W) {
        VF s = *(const VF *)(halves + k);
        for (size_t c = 0; c < width; c++) s -= x[c] * *(const VF *)(centroids + c * OK_CENTROIDS + k);
        VI less = s < best;
        best = (VF)(((VI)s & less) | ((VI)best & ~less));
        index = (at & less) | (index & ~less);
        at += W;
    }
    float least = best[0];
    for (size_t i = 1; i < W; i++) least = best[i] < least ? best[i] : least;
    int32_t k = OK_CENTROIDS;
    for (size_t i = 0; i < W; i++) k = best[i] == least && index[i] < k ? index[i] : k;
    return (uint8_t)(k & 255);
}

#define NEAREST(w)                                                                                                    \
    case w:                                                                                                           \
        for (size_t i = 0; i < count; i++)                                                                            \
            out[i * out_stride] = PREFIX(nearest_one)(x + i * stride, w, centroids, halves);                          \
        break;

static void PREFIX(nearest)(const float *x, size_t stride, size_t count, size_t width, const float *centroids,
                            const float *halves, uint8_t *out, size_t out_stride) {
    switch (width) {
        NEAREST(2)
        NEAREST(4)
        NEAREST(8)
        NEAREST(16)
    default:
        for (size_t i = 0; i < count; i++)
            out[i * out_stride] = PREFIX(nearest_one)(x + i * stride, width, centroids, halves);
    }
}

static void PREFIX(to_levels)(const float *x, size_t n, const float *offsets, const float *inverses, uint8_t *out) {
    for (size_t i = 0; i < n; i++) {
        float v = (x[i] - offsets[i]) * inverses[i] + 0.5f;
        v = v > 0 ? v : 0;
        v = v < 255 ? v : 255;
        out[i] = (uint8_t)(int32_t)v;
    }
}

static void PREFIX(fill)(struct ok_product_table *t) {
    *t = (struct ok_product_table){
        PREFIX(sums_gather),  PREFIX(sums_batch), PREFIX(levels_gather), PREFIX(levels_batch),
        PREFIX(similarities), PREFIX(pack),       PREFIX(nearest),       PREFIX(to_levels),
    };
}

#undef VF
#undef VI
#undef SPLAT
#undef NEAREST
#undef PREFIX
#undef W
