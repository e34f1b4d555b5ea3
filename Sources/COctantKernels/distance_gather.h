// Template: the outer loops of one metric, given FOUR(q, r0..r3, p0..p3, n, out4): four rows at once, asking for the
// four rows after them. Rows are scored in fours because one query load then feeds four sums and, above all, because
// four independent streams of cache misses are under way together. A rest of one to three rows repeats the last row.
//
// Rows that follow one another are read best in order, where the hardware's prefetching finds them: no prefetches then,
// and (ROWWISE, for float rows, with `one`) one row after the other, which reads 1.5 to 2 times as fast as four streams.
//
// Needs: ELEMENT, RESULT, PREFIX(name), FOUR; QELEMENT if the query's elements are others. QARGS/QPASS carry extra query
// arguments.
#ifndef QELEMENT
#define QELEMENT ELEMENT
#endif

static void PREFIX(gather)(const QELEMENT *q, QARGS const ELEMENT *base, size_t stride, DIMARG const uint32_t *ids,
                           size_t count, RESULT *out) {
    size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        const ELEMENT *r0 = base + ids[i] * stride, *r1 = base + ids[i + 1] * stride;
        const ELEMENT *r2 = base + ids[i + 2] * stride, *r3 = base + ids[i + 3] * stride;
        if (i + 8 <= count)
            PREFIX(four)(q, QPASS r0, r1, r2, r3, base + ids[i + 4] * stride, base + ids[i + 5] * stride,
                         base + ids[i + 6] * stride, base + ids[i + 7] * stride, DIM, out + i);
        else if (i + 4 < count) {
            size_t last = count - 1;
            PREFIX(four)(q, QPASS r0, r1, r2, r3, base + ids[i + 4] * stride,
                         base + ids[i + 5 < last ? i + 5 : last] * stride, base + ids[last] * stride,
                         base + ids[last] * stride, DIM, out + i);
        } else
            PREFIX(four)(q, QPASS r0, r1, r2, r3, r0, r1, r2, r3, DIM, out + i);
    }
    if (i < count) {
        size_t last = count - 1;
        const ELEMENT *r0 = base + ids[i] * stride, *r1 = base + ids[i + 1 < last ? i + 1 : last] * stride;
        const ELEMENT *r2 = base + ids[last] * stride;
        RESULT rest[4];
        PREFIX(four)(q, QPASS r0, r1, r2, r2, r0, r1, r2, r2, DIM, rest);
        for (size_t j = 0; i + j < count; j++) out[i + j] = rest[j];
    }
}

static void PREFIX(batch)(const QELEMENT *q, QARGS const ELEMENT *base, size_t stride, DIMARG size_t count,
                          RESULT *out) {
#ifdef ROWWISE
    for (size_t j = 0; j < count; j++) out[j] = PREFIX(one)(q, base + j * stride, DIM);
#else
    size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        const ELEMENT *r = base + i * stride;
        PREFIX(four)(q, QPASS r, r + stride, r + 2 * stride, r + 3 * stride, r, r, r, r, DIM, out + i);
    }
    if (i < count) {
        size_t last = count - 1;
        const ELEMENT *r0 = base + i * stride, *r1 = base + (i + 1 < last ? i + 1 : last) * stride;
        const ELEMENT *r2 = base + last * stride;
        RESULT rest[4];
        PREFIX(four)(q, QPASS r0, r1, r2, r2, r0, r1, r2, r2, DIM, rest);
        for (size_t j = 0; i + j < count; j++) out[i + j] = rest[j];
    }
#endif
}
#undef QELEMENT
