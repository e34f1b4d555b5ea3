// Template: one float metric of one instruction set.
//
// Needs: METRIC(name), STEP(sum, x, y) and, per instruction set, V, W (lanes), ZERO, LOAD(p), TAIL(p, left),
// ADD(a, b), REDUCE4(a, b, c, d, out). Every row keeps two sums, so `one` and `four` add in the same order.

static inline void METRIC(four)(const float *q, const float *r0, const float *r1, const float *r2, const float *r3,
                                const float *p0, const float *p1, const float *p2, const float *p3, size_t n,
                                float *out) {
    V a0 = ZERO, a1 = ZERO, a2 = ZERO, a3 = ZERO, b0 = ZERO, b1 = ZERO, b2 = ZERO, b3 = ZERO;
    size_t i = 0;
    for (; i + 2 * W <= n; i += 2 * W) {
        for (size_t k = 0; k < 2 * W; k += 16) {
            __builtin_prefetch(p0 + i + k), __builtin_prefetch(p1 + i + k);
            __builtin_prefetch(p2 + i + k), __builtin_prefetch(p3 + i + k);
        }
        V x = LOAD(q + i), y = LOAD(q + i + W);
        STEP(a0, x, LOAD(r0 + i));
        STEP(a1, x, LOAD(r1 + i));
        STEP(a2, x, LOAD(r2 + i));
        STEP(a3, x, LOAD(r3 + i));
        STEP(b0, y, LOAD(r0 + i + W));
        STEP(b1, y, LOAD(r1 + i + W));
        STEP(b2, y, LOAD(r2 + i + W));
        STEP(b3, y, LOAD(r3 + i + W));
    }
    if (i + W <= n) {
        V x = LOAD(q + i);
        STEP(a0, x, LOAD(r0 + i));
        STEP(a1, x, LOAD(r1 + i));
        STEP(a2, x, LOAD(r2 + i));
        STEP(a3, x, LOAD(r3 + i));
        i += W;
    }
    if (i < n) {
        size_t left = n - i;
        V x = TAIL(q + i, left);
        STEP(b0, x, TAIL(r0 + i, left));
        STEP(b1, x, TAIL(r1 + i, left));
        STEP(b2, x, TAIL(r2 + i, left));
        STEP(b3, x, TAIL(r3 + i, left));
    }
    REDUCE4(ADD(a0, b0), ADD(a1, b1), ADD(a2, b2), ADD(a3, b3), out);
}

static float METRIC(one)(const float *q, const float *r, size_t n) {
    V a = ZERO, b = ZERO;
    size_t i = 0;
    for (; i + 2 * W <= n; i += 2 * W) {
        STEP(a, LOAD(q + i), LOAD(r + i));
        STEP(b, LOAD(q + i + W), LOAD(r + i + W));
    }
    if (i + W <= n) {
        STEP(a, LOAD(q + i), LOAD(r + i));
        i += W;
    }
    if (i < n) {
        size_t left = n - i;
        V x = TAIL(q + i, left);
        STEP(b, x, TAIL(r + i, left));
    }
    float out[4];
    V s = ADD(a, b);
    REDUCE4(s, s, s, s, out);
    return out[0];
}

#define ROWWISE
#define ELEMENT float
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
