// Template: one metric of a float query with rows of one element, for one instruction set.
//
// Needs: METRIC(name), STEP(sum, x, y) and, per instruction set, V, W (lanes), ZERO, LOAD(p), TAIL(p, left),
// ADD(a, b), REDUCE4(a, b, c, d, out). Rows that are not of floats also need ROW (their element), RLOAD(p) and
// RTAIL(p, left), which turn W of them into floats. Every row keeps two sums, so `one` and `four` add in the same order,
// and rows of halves or bytes give the same bits as the floats they stand for.
#ifndef ROW
#define ROW float
#define RLOAD LOAD
#define RTAIL TAIL
#define FLOAT_ROWS
#endif
// Elements in a cache line.
#define LINE (64 / sizeof(ROW))

static inline void METRIC(four)(const float *q, const ROW *r0, const ROW *r1, const ROW *r2, const ROW *r3,
                                const ROW *p0, const ROW *p1, const ROW *p2, const ROW *p3, size_t n, float *out) {
    V a0 = ZERO, a1 = ZERO, a2 = ZERO, a3 = ZERO, b0 = ZERO, b1 = ZERO, b2 = ZERO, b3 = ZERO;
    size_t i = 0;
    for (; i + 2 * W <= n; i += 2 * W) {
        if (2 * W >= LINE || i % LINE == 0)
            for (size_t k = 0; k < 2 * W; k += LINE) {
                __builtin_prefetch(p0 + i + k), __builtin_prefetch(p1 + i + k);
                __builtin_prefetch(p2 + i + k), __builtin_prefetch(p3 + i + k);
            }
        V x = LOAD(q + i), y = LOAD(q + i + W);
        STEP(a0, x, RLOAD(r0 + i));
        STEP(a1, x, RLOAD(r1 + i));
        STEP(a2, x, RLOAD(r2 + i));
        STEP(a3, x, RLOAD(r3 + i));
        STEP(b0, y, RLOAD(r0 + i + W));
        STEP(b1, y, RLOAD(r1 + i + W));
        STEP(b2, y, RLOAD(r2 + i + W));
        STEP(b3, y, RLOAD(r3 + i + W));
    }
    if (i + W <= n) {
        V x = LOAD(q + i);
        STEP(a0, x, RLOAD(r0 + i));
        STEP(a1, x, RLOAD(r1 + i));
        STEP(a2, x, RLOAD(r2 + i));
        STEP(a3, x, RLOAD(r3 + i));
        i += W;
    }
    if (i < n) {
        size_t left = n - i;
        V x = TAIL(q + i, left);
        STEP(b0, x, RTAIL(r0 + i, left));
        STEP(b1, x, RTAIL(r1 + i, left));
        STEP(b2, x, RTAIL(r2 + i, left));
        STEP(b3, x, RTAIL(r3 + i, left));
    }
    REDUCE4(ADD(a0, b0), ADD(a1, b1), ADD(a2, b2), ADD(a3, b3), out);
}

static float METRIC(one)(const float *q, const ROW *r, size_t n) {
    V a = ZERO, b = ZERO;
    size_t i = 0;
    for (; i + 2 * W <= n; i += 2 * W) {
        STEP(a, LOAD(q + i), RLOAD(r + i));
        STEP(b, LOAD(q + i + W), RLOAD(r + i + W));
    }
    if (i + W <= n) {
        STEP(a, LOAD(q + i), RLOAD(r + i));
        i += W;
    }
    if (i < n) {
        size_t left = n - i;
        V x = TAIL(q + i, left);
        STEP(b, x, RTAIL(r + i, left));
    }
    float out[4];
    V s = ADD(a, b);
    REDUCE4(s, s, s, s, out);
    return out[0];
}

#define ROWWISE
#define QELEMENT float
#define ELEMENT ROW
#define RESULT float
#define PREFIX METRIC
#define QARGS
#define QPASS
#define DIMARG size_t n,
#define DIM n
#include "distance_gather.h"
#undef ROWWISE
#undef ELEMENT
#undef RESULT
#undef PREFIX
#undef QARGS
#undef QPASS
#undef DIMARG
#undef DIM
#undef METRIC
#undef STEP
#undef LINE
#ifdef FLOAT_ROWS
#undef ROW
#undef RLOAD
#undef RTAIL
#undef FLOAT_ROWS
#endif
