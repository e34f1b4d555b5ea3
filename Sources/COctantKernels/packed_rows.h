// Template: one metric over packed rows of one instruction set, four rows at once.
//
// Needs: METRIC(name), V, ZERO, REDUCE4I; RB, the bytes of a row taken at once; QUERY(LD, i), which declares what is
// loaded of the query for the row's bytes from i; ROW(p) and STEP(sum, row). If rows need not be whole RB bytes: PART(p) and
// PARTROW(p), loads of the `left` bytes there are, zeros behind them, and EXTRA, what each byte of zeros then adds too much.
// SETUP declares what is loaded once.

static inline void METRIC(four)(const uint8_t *q, const uint8_t *levels, const uint8_t *r0, const uint8_t *r1,
                                const uint8_t *r2, const uint8_t *r3, const uint8_t *p0, const uint8_t *p1,
                                const uint8_t *p2, const uint8_t *p3, size_t bytes, int32_t *out) {
    // Rows need not begin with a cache line, and 8 bytes of the caller's may follow the codes.
    for (size_t i = 0; i < bytes + 7; i += 64) {
        __builtin_prefetch(p0 + i), __builtin_prefetch(p1 + i);
        __builtin_prefetch(p2 + i), __builtin_prefetch(p3 + i);
    }
    __builtin_prefetch(p0 + bytes + 7), __builtin_prefetch(p1 + bytes + 7);
    __builtin_prefetch(p2 + bytes + 7), __builtin_prefetch(p3 + bytes + 7);
    V a0 = ZERO, a1 = ZERO, a2 = ZERO, a3 = ZERO;
    int32_t extra = 0;
    (void)levels;
    SETUP;
    size_t i = 0;
    for (; i + RB <= bytes; i += RB) {
        QUERY(LOADQ, i);
        STEP(a0, ROW(r0 + i));
        STEP(a1, ROW(r1 + i));
        STEP(a2, ROW(r2 + i));
        STEP(a3, ROW(r3 + i));
    }
#ifdef PARTROW
    if (i < bytes) {
        size_t left = bytes - i;
        QUERY(PART, i);
        STEP(a0, PARTROW(r0 + i));
        STEP(a1, PARTROW(r1 + i));
        STEP(a2, PARTROW(r2 + i));
        STEP(a3, PARTROW(r3 + i));
        extra = (int32_t)(RB - left) * (EXTRA);
    }
#endif
    REDUCE4I(a0, a1, a2, a3, extra, out);
}

#define ELEMENT uint8_t
#define RESULT int32_t
#define PREFIX METRIC
#define QARGS const uint8_t *levels,
#define QPASS levels,
#define DIMARG size_t bytes,
#define DIM bytes
#include "distance_gather.h"
#undef ELEMENT
#undef RESULT
#undef PREFIX
#undef QARGS
#undef QPASS
#undef DIMARG
#undef DIM
#undef METRIC
#undef SETUP
#undef QUERY
#undef STEP
#undef EXTRA
