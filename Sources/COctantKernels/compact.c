// Dispatch and the portable kernels of compact rows.
#include "compact_floats_row.h"
#include "compact_kernels.h"
#include "distance_kernels.h"

static inline float half_value(uint16_t x) {
    uint32_t sign = (uint32_t)(x & 0x8000) << 16, rest = x & 0x7fff;
    union {
        uint32_t bits;
        float value;
    } f;
    if (rest >= 0x7c00) {
        f.bits = sign | 0x7f800000 | (rest & 0x3ff) << 13;
    } else {
        // Shifted into place, the exponent is 112 too small; the product also puts subnormals right.
        f.bits = rest << 13;
        f.value *= 0x1p112f;
        f.bits |= sign;
    }
    return f.value;
}

static inline float byte_value(uint8_t x) { return (float)x; }

#define SCALAR_LOOPS(kind, element, metric, expression)                                                               \
    static float kind##_##metric##_one(const float *a, const element *b, size_t n) {                                  \
        _Pragma("clang fp reassociate(on)") float s = 0;                                                              \
        for (size_t i = 0; i < n; i++) {                                                                              \
            float x = a[i], y = kind##_value(b[i]);                                                                   \
            s += (expression);                                                                                        \
        }                                                                                                             \
        return s;                                                                                                     \
    }                                                                                                                 \
    static void kind##_##metric##_gather(const float *q, const element *base, size_t stride, size_t n,                \
                                         const uint32_t *ids, size_t count, float *out) {                             \
        for (size_t i = 0; i < count; i++) out[i] = kind##_##metric##_one(q, base + ids[i] * stride, n);              \
    }                                                                                                                 \
    static void kind##_##metric##_batch(const float *q, const element *base, size_t stride, size_t n, size_t count,   \
                                        float *out) {                                                                 \
        for (size_t i = 0; i < count; i++) out[i] = kind##_##metric##_one(q, base + i * stride, n);                   \
    }
SCALAR_LOOPS(half, uint16_t, dot, x *y)
SCALAR_LOOPS(half, uint16_t, l2, (x - y) * (x - y))
SCALAR_LOOPS(half, uint16_t, l1, __builtin_fabsf(x - y))
SCALAR_LOOPS(byte, uint8_t, dot, x *y)
SCALAR_LOOPS(byte, uint8_t, l2, (x - y) * (x - y))
SCALAR_LOOPS(byte, uint8_t, l1, __builtin_fabsf(x - y))

static void half_decode(const uint16_t *x, size_t n, float *out) {
    for (size_t i = 0; i < n; i++) out[i] = half_value(x[i]);
}

static void byte_decode(const uint8_t *x, size_t n, float *out) {
    for (size_t i = 0; i < n; i++) out[i] = (float)x[i];
}

// Floats of a row from `at` on.
static void floats_part(const struct ok_floats *rows, const struct packed_row *row, size_t at, size_t count,
                        float *out) {
    const float *whole = row->exceptions == OK_FLOATS_WHOLE ? whole_floats(rows, row) : 0;
    if (whole) __builtin_memcpy(out, whole + at, count * sizeof(float));
    if (row->exceptions == OK_FLOATS_WHOLE) {
        if (!whole) __builtin_memset(out, 0, count * sizeof(float));
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const uint8_t *p = row->fractions + 3 * (at + i);
        uint32_t fraction = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
        uint32_t code = row->differences[(at + i) / 2] >> 4 * (i & 1) & 15;
        uint32_t e = code == OK_FLOATS_ZERO ? 0 : (row->largest - code) & 255;
        uint32_t bits = (fraction & 0x7fffff) | (fraction & 0x800000) << 8 | e << 23;
        __builtin_memcpy(out + i, &bits, sizeof bits);
    }
    put_exceptions(row, at, count, out);
}

static void floats_decode(const struct ok_floats *rows, size_t number, float *out) {
    struct packed_row row = packed_row(rows, number);
    floats_part(rows, &row, 0, rows->n, out);
}

// By the portable kernels of floats, whose order of additions depends on how they were compiled. Of rows so long that
// they do not fit, parts are added up.
#define PART 4096

static struct ok_kernel_table portable;

static float floats_one(int metric, const float *q, const struct ok_floats *rows, size_t number) {
    float part[PART], sum = 0;
    struct packed_row row = packed_row(rows, number);
    for (size_t at = 0; at < rows->n; at += PART) {
        size_t count = rows->n - at < PART ? rows->n - at : PART;
        floats_part(rows, &row, at, count, part);
        switch (metric) {
        case OK_METRIC_DOT: sum += portable.dot.one(q + at, part, count); break;
        case OK_METRIC_L2: sum += portable.l2.one(q + at, part, count); break;
        default: sum += portable.l1.one(q + at, part, count); break;
        }
    }
    return sum;
}

#define SCALAR_FLOATS(name, metric)                                                                                   \
    static void floats_##name##_gather(const float *q, const struct ok_floats *rows, const uint32_t *ids,             \
                                       size_t count, float *out) {                                                    \
        for (size_t i = 0; i < count; i++) out[i] = floats_one(metric, q, rows, ids[i]);                              \
    }                                                                                                                 \
    static void floats_##name##_batch(const float *q, const struct ok_floats *rows, size_t start, size_t count,       \
                                      float *out) {                                                                   \
        for (size_t i = 0; i < count; i++) out[i] = floats_one(metric, q, rows, start + i);                           \
    }
SCALAR_FLOATS(dot, OK_METRIC_DOT)
SCALAR_FLOATS(l2, OK_METRIC_L2)
SCALAR_FLOATS(l1, OK_METRIC_L1)

void ok_compact_fill_scalar(struct ok_compact_table *t) {
    ok_fill_scalar(&portable);
    OK_COMPACT_FILL(t);
}

// ---- bulk work, one version ----

void ok_half_encode(const float *x, size_t n, uint16_t *out) {
    for (size_t i = 0; i < n; i++) {
        union {
            float value;
            uint32_t bits;
        } f = {.value = x[i]};
        uint16_t sign = (uint16_t)(f.bits >> 16 & 0x8000);
        f.bits &= 0x7fffffff;
        uint16_t rest;
        if (f.bits > 0x7f800000) {
            rest = 0x7e00;
        } else if (f.value >= 65520.0f) {
            rest = 0x7c00;
        } else if (f.bits < 0x38800000) {
            // Below the smallest normal half: adding 0.5 leaves the subnormal's 10 bits, rounded to even, at the end.
            f.value += 0.5f;
            rest = (uint16_t)(f.bits - 0x3f000000);
        } else {
            rest = (uint16_t)((f.bits + 0xfff + (f.bits >> 13 & 1)) >> 13) - (112 << 10);
        }
        out[i] = sign | rest;
    }
}

void ok_byte_encode(const float *x, size_t n, uint8_t *out) {
    for (size_t i = 0; i < n; i++) {
        float v = x[i] > 0 ? x[i] : 0;
        out[i] = (uint8_t)(v < 255 ? v : 255);
    }
}

// ---- dispatch ----

struct ok_compact_table ok_compact;

int ok_compact_at(int level, struct ok_compact_table *out) {
    struct ok_kernel_table known;
    if (!ok_kernels_at(level, &known)) return 0;
    struct ok_compact_table t;
    ok_compact_fill_scalar(&t);
    switch (level) {
#if defined(__x86_64__)
    case OK_LEVEL_AVX2: ok_compact_fill_avx2(&t); break;
    case OK_LEVEL_AVX512:
    case OK_LEVEL_AVX512_VNNI: ok_compact_fill_avx512(&t); break;
#endif
#if defined(__aarch64__)
    case OK_LEVEL_NEON: ok_compact_fill_neon(&t); break;
#endif
    default: break;
    }
    t.level = level;
    *out = t;
    return 1;
}

__attribute__((constructor)) static void choose_kernels(void) { ok_compact_at(ok_best_level(), &ok_compact); }
