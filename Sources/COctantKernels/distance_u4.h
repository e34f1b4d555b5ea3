// Template: the dot product of a byte query with 4-bit codes, two to a byte. A 64-byte block of a row holds 128
// codes: the low halves are the first 64 of them, the high halves the others. `stride` is a row's, the query has twice
// as many bytes.
//
// Needs: METRIC(name), STEP(low sum, high sum, query, query + 64, row) over B bytes, COMBINE(low, high), V, ZERO, LOADB.

static inline void METRIC(four)(const uint8_t *q, int32_t qsum, const uint8_t *r0, const uint8_t *r1,
                                const uint8_t *r2, const uint8_t *r3, const uint8_t *p0, const uint8_t *p1,
                                const uint8_t *p2, const uint8_t *p3, size_t stride, int32_t *out) {
    V a0 = ZERO, a1 = ZERO, a2 = ZERO, a3 = ZERO, b0 = ZERO, b1 = ZERO, b2 = ZERO, b3 = ZERO;
    (void)qsum;
    for (size_t i = 0; i < stride; i += 64) {
        __builtin_prefetch(p0 + i), __builtin_prefetch(p1 + i);
        __builtin_prefetch(p2 + i), __builtin_prefetch(p3 + i);
        for (size_t k = 0; k < 64; k += B) {
            V x = LOADB(q + 2 * i + k), y = LOADB(q + 2 * i + 64 + k);
            STEP(a0, b0, x, y, LOADB(r0 + i + k));
            STEP(a1, b1, x, y, LOADB(r1 + i + k));
            STEP(a2, b2, x, y, LOADB(r2 + i + k));
            STEP(a3, b3, x, y, LOADB(r3 + i + k));
        }
    }
    REDUCE4I(COMBINE(a0, b0), COMBINE(a1, b1), COMBINE(a2, b2), COMBINE(a3, b3), 0, out);
}

#define ELEMENT uint8_t
#define RESULT int32_t
#define PREFIX METRIC
#define QARGS int32_t qsum,
#define QPASS qsum,
#define DIMARG
#define DIM stride
#include "distance_gather.h"
#undef ELEMENT
#undef RESULT
#undef PREFIX
#undef QARGS
#undef QPASS
#undef DIMARG
#undef DIM
#undef METRIC
#undef STEP
#undef COMBINE
