// Template: all that one instruction set has for compact rows.
//
// Needs what distance_f32.h needs per instruction set, halves(p), halves_tail(p, left), bytes(p), bytes_tail(p, left),
// absolute(x), square_step(sum, x, y), FMADD(x, y, sum), SUB(x, y), STORE(p, x), and for packed floats `struct exponents`,
// exponents(largest), floats(row, i, exponents) and floats_tail(row, i, left, exponents).

#define ROW uint16_t
#define RLOAD halves
#define RTAIL halves_tail
#define METRIC(name) half_dot_##name
#define STEP(s, x, y) s = FMADD(x, y, s)
#include "distance_f32.h"
#define METRIC(name) half_l2_##name
#define STEP(s, x, y) s = square_step(s, x, y)
#include "distance_f32.h"
#define METRIC(name) half_l1_##name
#define STEP(s, x, y) s = ADD(s, absolute(SUB(x, y)))
#include "distance_f32.h"
#undef ROW
#undef RLOAD
#undef RTAIL

#define ROW uint8_t
#define RLOAD bytes
#define RTAIL bytes_tail
#define METRIC(name) byte_dot_##name
#define STEP(s, x, y) s = FMADD(x, y, s)
#include "distance_f32.h"
#define METRIC(name) byte_l2_##name
#define STEP(s, x, y) s = square_step(s, x, y)
#include "distance_f32.h"
#define METRIC(name) byte_l1_##name
#define STEP(s, x, y) s = ADD(s, absolute(SUB(x, y)))
#include "distance_f32.h"
#undef ROW
#undef RLOAD
#undef RTAIL

static void half_decode(const uint16_t *x, size_t n, float *out) {
    size_t i = 0;
    for (; i + W <= n; i += W) STORE(out + i, halves(x + i));
    if (i < n) {
        float rest[W];
        STORE(rest, halves_tail(x + i, n - i));
        __builtin_memcpy(out + i, rest, (n - i) * sizeof(float));
    }
}

static void byte_decode(const uint8_t *x, size_t n, float *out) {
    size_t i = 0;
    for (; i + W <= n; i += W) STORE(out + i, bytes(x + i));
    if (i < n) {
        float rest[W];
        STORE(rest, bytes_tail(x + i, n - i));
        __builtin_memcpy(out + i, rest, (n - i) * sizeof(float));
    }
}

#include "compact_floats.h"
#define METRIC(name) floats_dot_##name
#define STEP(s, x, y) s = FMADD(x, y, s)
#include "compact_floats_metric.h"
#define METRIC(name) floats_l2_##name
#define STEP(s, x, y) s = square_step(s, x, y)
#include "compact_floats_metric.h"
#define METRIC(name) floats_l1_##name
#define STEP(s, x, y) s = ADD(s, absolute(SUB(x, y)))
#include "compact_floats_metric.h"
