// Dispatch and the portable kernels of compact rows.
#include "compact_kernels.h"
#include "octant_distance.h"

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

void ok_compact_fill_scalar(struct ok_compact_table *t) { OK_COMPACT_FILL(t); }

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
