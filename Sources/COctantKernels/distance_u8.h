// Template: one metric over codes of one instruction set. Rows are whole 64-byte blocks, so there is no tail.
//
// Needs: METRIC(name), STEP(sum, query block, row block) over B bytes, FINISH(v, out4) and V, ZERO, LOADB, REDUCE4I.

static inline void METRIC(four)(const uint8_t *q, int32_t qsum, const uint8_t *r0, const uint8_t *r1,
                                const uint8_t *r2, const uint8_t *r3, const uint8_t *p0, const uint8_t *p1,
                                const uint8_t *p2, const uint8_t *p3, size_t stride, int32_t *out) {
    V a0 = ZERO, a1 = ZERO, a2 = ZERO, a3 = ZERO;
    for (size_t i = 0; i < stride; i += 64) {
        __builtin_prefetch(p0 + i), __builtin_prefetch(p1 + i);
        __builtin_prefetch(p2 + i), __builtin_prefetch(p3 + i);
        for (size_t k = 0; k < 64; k += B) {
            V x = LOADB(q + i + k);
            STEP(a0, x, LOADB(r0 + i + k));
            STEP(a1, x, LOADB(r1 + i + k));
            STEP(a2, x, LOADB(r2 + i + k));
            STEP(a3, x, LOADB(r3 + i + k));
        }
    }
    REDUCE4I(a0, a1, a2, a3, CORRECTION(qsum), out);
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
#undef CORRECTION
