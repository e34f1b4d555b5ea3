// Packed codes: the portable kernels, and making and reading codes.
#include "distance_kernels.h"

// ---- levels ----

// Normally distributed components of variance 1, quantised with the least squared error (Lloyd 1982, Max 1960): the
// levels of those tables, in whole steps around 63.5. In 4 bits the steps of 1 / 19.56 cost 0.3 % of the error.
static const uint8_t levels4[32] = {10, 23, 32, 39, 45, 51, 56, 61, 66, 71, 76, 82, 88, 95, 104, 117};
static const uint8_t levels2[32] = {0,  44, 83, 127, 0, 44, 83, 127, 0,   44,  83,  127, 0,  44, 83, 127,
                                    0,  0,  0,  0,   44, 44, 44, 44, 83,  83,  83,  83,  127, 127, 127, 127};
static const uint8_t levels1[32] = {30, 97};
static const uint8_t levels8[32];
static const float steps1 = 42.0f, steps2 = 42.05f, steps4 = 19.56f;

static int width_index(int bits) { return bits == 1 ? 0 : bits == 2 ? 1 : bits == 4 ? 2 : 3; }

const uint8_t *ok_packed_levels(int bits) {
    switch (bits) {
    case 1: return levels1;
    case 2: return levels2;
    case 4: return levels4;
    default: return levels8;
    }
}

float ok_packed_steps(int bits) { return bits == 1 ? steps1 : bits == 2 ? steps2 : bits == 4 ? steps4 : 0; }

struct ok_packed_metric ok_packed_kernels(int kind, int bits) {
    const struct ok_packed_table *t = &ok_kernels.packed;
    if (kind == OK_PACKED_DIFFERING) return t->differing;
    return kind == OK_PACKED_SAD ? t->sad[width_index(bits)] : t->dot[width_index(bits)];
}

// ---- portable kernels ----

static inline int code_at(const uint8_t *row, size_t bytes, int bits, size_t c) {
    if (bits == 1) return row[c / 8] >> (c % 8) & 1;
    return row[c % bytes] >> (c / bytes * (size_t)bits) & ((1 << bits) - 1);
}

static inline int32_t scalar_dot(const uint8_t *q, const uint8_t *levels, const uint8_t *row, size_t bytes, int bits) {
    int32_t s = 0;
    for (size_t c = 0; c < bytes * 8 / (size_t)bits; c++) {
        int k = code_at(row, bytes, bits, c);
        s += (bits == 1 ? k : bits == 8 ? k - 128 : levels[k]) * (int32_t)(int8_t)q[c];
    }
    return s;
}

static inline int32_t scalar_sad(const uint8_t *q, const uint8_t *levels, const uint8_t *row, size_t bytes, int bits) {
    int32_t s = 0;
    for (size_t c = 0; c < bytes * 8 / (size_t)bits; c++) {
        int k = code_at(row, bytes, bits, c);
        int32_t d = (bits == 8 ? k : levels[k]) - (int32_t)q[c];
        s += d < 0 ? -d : d;
    }
    return s;
}

static inline int32_t scalar_differing(const uint8_t *q, const uint8_t *levels, const uint8_t *row, size_t bytes,
                                       int bits) {
    (void)levels, (void)bits;
    int32_t s = 0;
    for (size_t i = 0; i < bytes; i++) s += __builtin_popcount((unsigned)(q[i] ^ row[i]));
    return s;
}

#define SCALAR_LOOPS(metric, bits)                                                                                    \
    static void metric##bits##_gather(const uint8_t *q, const uint8_t *levels, const uint8_t *base, size_t stride,    \
                                      size_t bytes, const uint32_t *ids, size_t count, int32_t *out) {                \
        for (size_t i = 0; i < count; i++) out[i] = metric(q, levels, base + ids[i] * stride, bytes, bits);           \
    }                                                                                                                 \
    static void metric##bits##_batch(const uint8_t *q, const uint8_t *levels, const uint8_t *base, size_t stride,     \
                                     size_t bytes, size_t count, int32_t *out) {                                      \
        for (size_t i = 0; i < count; i++) out[i] = metric(q, levels, base + i * stride, bytes, bits);                \
    }
SCALAR_LOOPS(scalar_dot, 1)
SCALAR_LOOPS(scalar_dot, 2)
SCALAR_LOOPS(scalar_dot, 4)
SCALAR_LOOPS(scalar_dot, 8)
SCALAR_LOOPS(scalar_sad, 1)
SCALAR_LOOPS(scalar_sad, 2)
SCALAR_LOOPS(scalar_sad, 4)
SCALAR_LOOPS(scalar_sad, 8)
SCALAR_LOOPS(scalar_differing, 1)

void ok_fill_packed_scalar(struct ok_packed_table *t) {
    t->dot[0] = OK_PACKED(scalar_dot1), t->dot[1] = OK_PACKED(scalar_dot2);
    t->dot[2] = OK_PACKED(scalar_dot4), t->dot[3] = OK_PACKED(scalar_dot8);
    t->sad[0] = OK_PACKED(scalar_sad1), t->sad[1] = OK_PACKED(scalar_sad2);
    t->sad[2] = OK_PACKED(scalar_sad4), t->sad[3] = OK_PACKED(scalar_sad8);
    t->differing = OK_PACKED(scalar_differing1);
}

// ---- making codes ----

static inline uint8_t nearest(float v, int bits) {
    // Middles between the positive levels, in steps.
    static const float middle4[7] = {5, 10, 15.5f, 21.5f, 28, 36, 47};
    if (bits == 2) return (uint8_t)(v < 0 ? 1 - (v < -41.5f) : 2 + (v >= 41.5f));
    float a = v < 0 ? -v : v;
    int m = 0;
    for (int j = 0; j < 7; j++) m += a >= middle4[j];
    return (uint8_t)(v < 0 ? 7 - m : 8 + m);
}

float ok_pack(const float *x, size_t n, int bits, float steps, size_t bytes, uint8_t *out) {
    float sum = 0;
    if (bits == 8) {
        ok_quantize(x, n, 0, steps, out);
        for (size_t i = n; i < bytes; i++) out[i] = 0;
        for (size_t i = 0; i < n; i++) sum += x[i] * (float)((int)out[i] - 128);
        return sum;
    }
    for (size_t i = 0; i < bytes; i++) out[i] = 0;
    if (bits == 1) {
        for (size_t i = 0; i < n; i++) {
            out[i / 8] |= (uint8_t)((x[i] >= 0) << (i % 8));
            sum += __builtin_fabsf(x[i]);
        }
        return sum * 0.5f;
    }
    const uint8_t *levels = ok_packed_levels(bits);
    for (size_t field = 0; field * bytes < n; field++) {
        const float *part = x + field * bytes;
        size_t count = n - field * bytes < bytes ? n - field * bytes : bytes;
        for (size_t i = 0; i < count; i++) {
            uint8_t k = nearest(part[i] * steps, bits);
            out[i] |= (uint8_t)(k << (field * (size_t)bits));
            sum += part[i] * ((float)levels[k] - 63.5f);
        }
    }
    return sum;
}

int32_t ok_unpack(const uint8_t *codes, size_t n, int bits, size_t bytes, int8_t *out) {
    const uint8_t *levels = ok_packed_levels(bits);
    int32_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        int k = code_at(codes, bytes, bits, i);
        int c = bits == 1 ? 2 * k - 1 : bits == 8 ? k - 128 : 2 * levels[k] - 127;
        out[i] = (int8_t)(c < -127 ? -127 : c);
        sum += out[i];
    }
    return sum;
}

void ok_unpack_floats(const uint8_t *codes, size_t n, int bits, size_t bytes, float *out) {
    if (bits == 8) {
        for (size_t i = 0; i < n; i++) out[i] = (float)((int)codes[i] - 128);
        return;
    }
    const uint8_t *levels = ok_packed_levels(4);
    float table[16];
    for (int k = 0; k < 16; k++) table[k] = (float)levels[k] - 63.5f;
    size_t low = n < bytes ? n : bytes;
    for (size_t i = 0; i < low; i++) out[i] = table[codes[i] & 15];
    for (size_t i = low; i < n; i++) out[i] = table[codes[i - bytes] >> 4];
}
