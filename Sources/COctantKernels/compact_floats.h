// Template, included once for each instruction set: whole rows of packed floats, as parts of floats.
//
// Needs W, STORE(p, x) and `struct exponents`, exponents(largest), floats(row, i, exponents), floats_tail(row, i, left,
// exponents), where `row` is a struct packed_row.
#include "compact_floats_row.h"

// Floats that are unpacked at once where they cannot stay in registers: a multiple of two vectors.
#define PART 512

// Floats from `at` on, a multiple of 32, without exceptions.
static void floats_planes(const struct packed_row *row, size_t at, size_t count, float *out) {
    struct exponents e = exponents(row->largest);
    size_t i = 0;
    for (; i + W <= count; i += W) STORE(out + i, floats(row, at + i, &e));
    if (i < count) {
        float rest[W];
        STORE(rest, floats_tail(row, at + i, count - i, &e));
        __builtin_memcpy(out + i, rest, (count - i) * sizeof(float));
    }
}

// Floats from `at` on, a multiple of 32, of any row.
static void floats_part(const struct ok_floats *rows, const struct packed_row *row, size_t at, size_t count,
                        float *out) {
    if (row->exceptions == OK_FLOATS_WHOLE) {
        const float *whole = whole_floats(rows, row);
        if (whole)
            __builtin_memcpy(out, whole + at, count * sizeof(float));
        else
            __builtin_memset(out, 0, count * sizeof(float));
        return;
    }
    floats_planes(row, at, count, out);
    put_exceptions(row, at, count, out);
}

static void floats_decode(const struct ok_floats *rows, size_t number, float *out) {
    struct packed_row row = packed_row(rows, number);
    floats_part(rows, &row, 0, rows->n, out);
}
