// Template: one metric of a float query with rows of packed floats, for one instruction set.
//
// Needs METRIC(name) and STEP(sum, x, y) as distance_f32.h does, whose order of additions it keeps: a row gives the bits
// that its floats would. Rows with exceptions, and those that are kept whole, are added part by part from memory.

// Adds `n` floats to the sums; all but the last part of a row are a multiple of 2 W.
static inline void METRIC(add)(const float *q, const float *x, size_t n, V *a, V *b) {
    size_t i = 0;
    for (; i + 2 * W <= n; i += 2 * W) {
        STEP(*a, LOAD(q + i), LOAD(x + i));
        STEP(*b, LOAD(q + i + W), LOAD(x + i + W));
    }
    if (i + W <= n) {
        STEP(*a, LOAD(q + i), LOAD(x + i));
        i += W;
    }
    if (i < n) STEP(*b, TAIL(q + i, n - i), TAIL(x + i, n - i));
}

static __attribute__((noinline)) void METRIC(parts)(const float *q, const struct ok_floats *rows,
                                                    const struct packed_row *row, V *a, V *b) {
    float part[PART];
    for (size_t at = 0; at < rows->n; at += PART) {
        size_t count = rows->n - at < PART ? rows->n - at : PART;
        floats_part(rows, row, at, count, part);
        METRIC(add)(q + at, part, count, a, b);
    }
}

static inline float METRIC(sum)(V s) {
    float out[4];
    REDUCE4(s, s, s, s, out);
    return out[0];
}

static float METRIC(rest)(const float *q, const struct ok_floats *rows, const struct packed_row *row) {
    V a = ZERO, b = ZERO;
    METRIC(parts)(q, rows, row, &a, &b);
    return METRIC(sum)(ADD(a, b));
}

static inline float METRIC(one)(const float *q, const struct ok_floats *rows, size_t number) {
    struct packed_row r = packed_row(rows, number);
    if (r.exceptions) return METRIC(rest)(q, rows, &r);
    struct exponents e = exponents(r.largest);
    V a = ZERO, b = ZERO;
    size_t n = rows->n, i = 0;
    for (; i + 2 * W <= n; i += 2 * W) {
        STEP(a, LOAD(q + i), floats(&r, i, &e));
        STEP(b, LOAD(q + i + W), floats(&r, i + W, &e));
    }
    if (i + W <= n) {
        STEP(a, LOAD(q + i), floats(&r, i, &e));
        i += W;
    }
    if (i < n) {
        size_t left = n - i;
        STEP(b, TAIL(q + i, left), floats_tail(&r, i, left, &e));
    }
    return METRIC(sum)(ADD(a, b));
}

// Four rows at once, asking for the four after them: see distance_gather.h. Rows with exceptions are added again.
static inline void METRIC(four)(const float *q, const struct ok_floats *rows, const uint32_t *ids,
                                const uint32_t *next, float *out) {
    struct packed_row r0 = packed_row(rows, ids[0]), r1 = packed_row(rows, ids[1]);
    struct packed_row r2 = packed_row(rows, ids[2]), r3 = packed_row(rows, ids[3]);
    struct exponents e0 = exponents(r0.largest), e1 = exponents(r1.largest);
    struct exponents e2 = exponents(r2.largest), e3 = exponents(r3.largest);
    const uint8_t *p0 = rows->base + next[0] * rows->stride, *p1 = rows->base + next[1] * rows->stride;
    const uint8_t *p2 = rows->base + next[2] * rows->stride, *p3 = rows->base + next[3] * rows->stride;
    V a0 = ZERO, a1 = ZERO, a2 = ZERO, a3 = ZERO, b0 = ZERO, b1 = ZERO, b2 = ZERO, b3 = ZERO;
    size_t n = rows->n, i = 0, asked = 0;
    for (; i + 2 * W <= n; i += 2 * W) {
        // Seven bytes of planes for two floats.
        for (; asked < (i + 2 * W) * 7 / 2; asked += 64) {
            __builtin_prefetch(p0 + asked), __builtin_prefetch(p1 + asked);
            __builtin_prefetch(p2 + asked), __builtin_prefetch(p3 + asked);
        }
        V x = LOAD(q + i), y = LOAD(q + i + W);
        STEP(a0, x, floats(&r0, i, &e0));
        STEP(a1, x, floats(&r1, i, &e1));
        STEP(a2, x, floats(&r2, i, &e2));
        STEP(a3, x, floats(&r3, i, &e3));
        STEP(b0, y, floats(&r0, i + W, &e0));
        STEP(b1, y, floats(&r1, i + W, &e1));
        STEP(b2, y, floats(&r2, i + W, &e2));
        STEP(b3, y, floats(&r3, i + W, &e3));
    }
    if (i + W <= n) {
        V x = LOAD(q + i);
        STEP(a0, x, floats(&r0, i, &e0));
        STEP(a1, x, floats(&r1, i, &e1));
        STEP(a2, x, floats(&r2, i, &e2));
        STEP(a3, x, floats(&r3, i, &e3));
        i += W;
    }
    if (i < n) {
        size_t left = n - i;
        V x = TAIL(q + i, left);
        STEP(b0, x, floats_tail(&r0, i, left, &e0));
        STEP(b1, x, floats_tail(&r1, i, left, &e1));
        STEP(b2, x, floats_tail(&r2, i, left, &e2));
        STEP(b3, x, floats_tail(&r3, i, left, &e3));
    }
    REDUCE4(ADD(a0, b0), ADD(a1, b1), ADD(a2, b2), ADD(a3, b3), out);
    if (r0.exceptions) out[0] = METRIC(rest)(q, rows, &r0);
    if (r1.exceptions) out[1] = METRIC(rest)(q, rows, &r1);
    if (r2.exceptions) out[2] = METRIC(rest)(q, rows, &r2);
    if (r3.exceptions) out[3] = METRIC(rest)(q, rows, &r3);
}

static void METRIC(gather)(const float *q, const struct ok_floats *rows, const uint32_t *ids, size_t count,
                           float *out) {
    if (count == 0) return;
    uint32_t four[8];
    for (size_t i = 0; i < count; i += 4) {
        // A rest of one to three rows repeats the last.
        for (size_t j = 0; j < 8; j++) four[j] = ids[i + j < count ? i + j : count - 1];
        if (i + 4 <= count) {
            METRIC(four)(q, rows, four, four + 4, out + i);
        } else {
            float rest[4];
            METRIC(four)(q, rows, four, four + 4, rest);
            for (size_t j = 0; i + j < count; j++) out[i + j] = rest[j];
        }
    }
}

static void METRIC(batch)(const float *q, const struct ok_floats *rows, size_t start, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) out[i] = METRIC(one)(q, rows, start + i);
}
#undef METRIC
#undef STEP
