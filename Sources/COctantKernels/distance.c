// Dispatch and the portable kernels.
#include "distance_kernels.h"
#include "include/octant_product.h"
#include "include/octant_scan.h"
#include "octant_compact.h"

// ---- portable kernels: plain C the compiler may vectorise for the base instruction set ----

#define SCALAR_STEP(name, expression)                                                                                 \
    static float name(const float *a, const float *b, size_t n) {                                                     \
        _Pragma("clang fp reassociate(on)") float s = 0;                                                              \
        for (size_t i = 0; i < n; i++) {                                                                              \
            float x = a[i], y = b[i];                                                                                 \
            s += (expression);                                                                                        \
        }                                                                                                             \
        return s;                                                                                                     \
    }
SCALAR_STEP(scalar_dot_one, x *y)
SCALAR_STEP(scalar_l2_one, (x - y) * (x - y))
SCALAR_STEP(scalar_l1_one, __builtin_fabsf(x - y))

#define SCALAR_LOOPS(metric)                                                                                          \
    static void scalar_##metric##_gather(const float *q, const float *base, size_t stride, size_t n,                  \
                                         const uint32_t *ids, size_t count, float *out) {                             \
        for (size_t i = 0; i < count; i++) {                                                                          \
            if (i + 1 < count) __builtin_prefetch(base + ids[i + 1] * stride);                                        \
            out[i] = scalar_##metric##_one(q, base + ids[i] * stride, n);                                             \
        }                                                                                                             \
    }                                                                                                                 \
    static void scalar_##metric##_batch(const float *q, const float *base, size_t stride, size_t n, size_t count,     \
                                        float *out) {                                                                 \
        for (size_t i = 0; i < count; i++) out[i] = scalar_##metric##_one(q, base + i * stride, n);                   \
    }
SCALAR_LOOPS(dot)
SCALAR_LOOPS(l2)
SCALAR_LOOPS(l1)

static int32_t scalar_code_dot(const uint8_t *q, const uint8_t *r, size_t stride) {
    int32_t s = 0;
    for (size_t i = 0; i < stride; i++) s += ((int32_t)r[i] - 128) * (int32_t)(int8_t)q[i];
    return s;
}

static int32_t scalar_code_sad(const uint8_t *q, const uint8_t *r, size_t stride) {
    int32_t s = 0;
    for (size_t i = 0; i < stride; i++) {
        int32_t d = (int32_t)r[i] - (int32_t)q[i];
        s += d < 0 ? -d : d;
    }
    return s;
}

static int32_t scalar_nibble_dot(const uint8_t *q, const uint8_t *r, size_t stride) {
    int32_t s = 0;
    for (size_t i = 0; i < stride; i += 64)
        for (size_t k = 0; k < 64; k++) {
            s += (int32_t)(r[i + k] & 15) * (int32_t)(int8_t)q[2 * i + k];
            s += (int32_t)(r[i + k] >> 4) * (int32_t)(int8_t)q[2 * i + 64 + k];
        }
    return s;
}

#define SCALAR_CODE_LOOPS(metric)                                                                                     \
    static void scalar_##metric##_gather(const uint8_t *q, int32_t qsum, const uint8_t *base, size_t stride,          \
                                         const uint32_t *ids, size_t count, int32_t *out) {                           \
        (void)qsum;                                                                                                   \
        for (size_t i = 0; i < count; i++) out[i] = scalar_##metric(q, base + ids[i] * stride, stride);               \
    }                                                                                                                 \
    static void scalar_##metric##_batch(const uint8_t *q, int32_t qsum, const uint8_t *base, size_t stride,           \
                                        size_t count, int32_t *out) {                                                 \
        (void)qsum;                                                                                                   \
        for (size_t i = 0; i < count; i++) out[i] = scalar_##metric(q, base + i * stride, stride);                    \
    }
SCALAR_CODE_LOOPS(code_dot)
SCALAR_CODE_LOOPS(code_sad)
SCALAR_CODE_LOOPS(nibble_dot)

static void scalar_quantize(const float *x, size_t n, float center, float inverse, uint8_t *out) {
    for (size_t i = 0; i < n; i++) {
        float v = (x[i] - center) * inverse;
        v = v > -127.0f ? v : -127.0f;
        v = v < 127.0f ? v : 127.0f;
        // Adding and taking away 1.5 * 2^23 rounds to the nearest even integer.
        float rounded = v + 12582912.0f;
        out[i] = (uint8_t)((int32_t)(rounded - 12582912.0f) + 128);
    }
}

static size_t scalar_above(const float *values, size_t count, float floor, uint32_t *out) {
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        out[n] = (uint32_t)i;
        n += values[i] >= floor;
    }
    return n;
}

static int32_t scalar_code_query(const uint8_t *codes, size_t stride, int8_t *out) {
    int32_t sum = 0;
    for (size_t i = 0; i < stride; i++) {
        out[i] = (int8_t)(codes[i] ^ 0x80);
        sum += out[i];
    }
    return sum;
}

void ok_fill_scalar(struct ok_kernel_table *t) {
    t->dot = (struct ok_f32_metric){scalar_dot_one, scalar_dot_gather, scalar_dot_batch};
    t->l2 = (struct ok_f32_metric){scalar_l2_one, scalar_l2_gather, scalar_l2_batch};
    t->l1 = (struct ok_f32_metric){scalar_l1_one, scalar_l1_gather, scalar_l1_batch};
    t->code_dot = (struct ok_u8_metric){scalar_code_dot_gather, scalar_code_dot_batch};
    t->code_sad = (struct ok_u8_metric){scalar_code_sad_gather, scalar_code_sad_batch};
    t->nibble_dot = (struct ok_u8_metric){scalar_nibble_dot_gather, scalar_nibble_dot_batch};
    t->code_query = scalar_code_query;
    t->quantize = scalar_quantize;
    t->above = scalar_above;
    ok_fill_packed_scalar(&t->packed);
    t->level = OK_LEVEL_SCALAR;
}

// ---- bulk work, one version ----

int32_t ok_code_norm2(const uint8_t *codes, size_t stride) {
    int32_t sum = 0;
    for (size_t i = 0; i < stride; i++) {
        int32_t c = (int32_t)codes[i] - 128;
        sum += c * c;
    }
    return sum;
}

void ok_pack_nibbles(const uint8_t *codes, size_t n, float inverse, uint8_t *out) {
    for (size_t i = 0; i < (n + 127) / 128 * 64; i++) out[i] = 0;
    for (size_t i = 0; i < n; i++) {
        // Levels lie at half steps: level k stands for (k - 7.5) steps.
        float v = (float)((int32_t)codes[i] - 128) * inverse + 8.0f;
        int32_t k = v < 0 ? 0 : v > 15 ? 15 : (int32_t)v;
        out[i / 128 * 64 + i % 64] |= (uint8_t)(k << (i & 64 ? 4 : 0));
    }
}

void ok_half_codes(const uint8_t *codes, size_t width, int shift, uint8_t *out) {
    for (size_t i = 0; i < width; i += 128)
        for (size_t k = 0; k < 64; k++) {
            uint8_t first = (uint8_t)(codes[i + k] >> shift & 15), second = (uint8_t)(codes[i + 64 + k] >> shift & 15);
            out[i / 2 + k] = (uint8_t)(first | second << 4);
        }
}

void ok_join_codes(const uint8_t *upper, const uint8_t *lower, size_t stride, uint8_t *out) {
    for (size_t i = 0; i < stride; i += 64)
        for (size_t k = 0; k < 64; k++) {
            uint8_t u = upper[i + k], l = lower[i + k];
            out[2 * i + k] = (uint8_t)((u & 15) << 4 | (l & 15));
            out[2 * i + 64 + k] = (uint8_t)((u & 0xf0) | l >> 4);
        }
}

void ok_min_max(const float *x, size_t n, float *low, float *high) {
    const float largest = 3.402823466e38f;
    float l = *low, h = *high;
    for (size_t i = 0; i < n; i++) {
        float v = x[i];
        if (!(v >= -largest && v <= largest)) continue;
        l = v < l ? v : l;
        h = v > h ? v : h;
    }
    *low = l;
    *high = h;
}

float ok_code_residual(const float *x, size_t n, const uint8_t *codes, float center, float scale, int manhattan) {
#pragma clang fp reassociate(on)
    float squares = 0, absolute = 0;
    for (size_t i = 0; i < n; i++) {
        float d = x[i] - (center + scale * (float)((int32_t)codes[i] - 128));
        squares += d * d;
        absolute += __builtin_fabsf(d);
    }
    return manhattan ? absolute : squares;
}

void ok_scale(float *x, size_t n, float factor) {
    for (size_t i = 0; i < n; i++) x[i] *= factor;
}

// ---- dispatch ----

struct ok_kernel_table ok_kernels;

static int has_level(int level) {
    switch (level) {
    case OK_LEVEL_SCALAR: return 1;
#if defined(__x86_64__)
    case OK_LEVEL_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    case OK_LEVEL_AVX512:
        return has_level(OK_LEVEL_AVX2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    case OK_LEVEL_AVX512_VNNI: return has_level(OK_LEVEL_AVX512) && __builtin_cpu_supports("avx512vnni");
#endif
#if defined(__aarch64__)
    case OK_LEVEL_NEON: return 1;
#endif
    default: return 0;
    }
}

int ok_kernels_at(int level, struct ok_kernel_table *out) {
#if defined(__x86_64__)
    __builtin_cpu_init();
#endif
    if (!has_level(level)) return 0;
    struct ok_kernel_table t;
    ok_fill_scalar(&t);
    switch (level) {
#if defined(__x86_64__)
    case OK_LEVEL_AVX2: ok_fill_avx2(&t); break;
    case OK_LEVEL_AVX512: ok_fill_avx512(&t); break;
    case OK_LEVEL_AVX512_VNNI: ok_fill_avx512_vnni(&t); break;
#endif
#if defined(__aarch64__)
    case OK_LEVEL_NEON: ok_fill_neon(&t); break;
#endif
    default: break;
    }
    t.level = level;
    *out = t;
    return 1;
}

int ok_select_level(int level) {
    if (!ok_kernels_at(level, &ok_kernels) || !ok_compact_at(level, &ok_compact)) return 0;
    ok_select_product(level);
    ok_scan_kernel = ok_scan_at(level);
    return 1;
}

int ok_best_level(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
#endif
    for (int level = OK_LEVEL_COUNT - 1; level > 0; level--)
        if (has_level(level)) return level;
    return OK_LEVEL_SCALAR;
}

const char *ok_level_name(int level) {
    static const char *const names[] = {"scalar", "avx2", "avx512", "avx512-vnni", "neon"};
    return level >= 0 && level < OK_LEVEL_COUNT ? names[level] : "unknown";
}

__attribute__((constructor)) static void choose_kernels(void) { ok_select_level(ok_best_level()); }
