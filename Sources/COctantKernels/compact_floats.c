// Packing of floats, one version; see docs/format/packed-floats.md.
#include "compact_floats_row.h"

static inline uint32_t float_bits(float x) {
    uint32_t bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline uint32_t exponent(float x) { return float_bits(x) >> 23 & 255; }

static uint32_t largest_exponent(const float *x, size_t n) {
    // Without their signs, floats are in the order of their bits.
    uint32_t largest = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = float_bits(x[i]) & 0x7fffffff;
        largest = bits > largest ? bits : largest;
    }
    return largest >> 23;
}

size_t ok_floats_exceptions(const float *x, size_t n) {
    uint32_t largest = largest_exponent(x, n);
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t e = exponent(x[i]);
        count += e != 0 && largest - e > OK_FLOATS_DIFFERENCE_MAX;
    }
    return count;
}

int ok_floats_encode(const float *x, size_t n, uint32_t slots, uint8_t *row) {
    uint32_t largest = largest_exponent(x, n), exceptions = 0;
    uint8_t *differences = row + 3 * n, *head = differences + (n + 1) / 2;
    __builtin_memset(differences, 0, ok_floats_stride(n, slots) - 3 * n);
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = float_bits(x[i]), e = bits >> 23 & 255, code = largest - e;
        uint32_t fraction = (bits & 0x7fffff) | (bits >> 8 & 0x800000);
        row[3 * i] = (uint8_t)fraction;
        row[3 * i + 1] = (uint8_t)(fraction >> 8);
        row[3 * i + 2] = (uint8_t)(fraction >> 16);
        if (e == 0) {
            code = OK_FLOATS_ZERO;
        } else if (code > OK_FLOATS_DIFFERENCE_MAX) {
            if (exceptions == slots) return 0;
            uint8_t *slot = head + 2 + 3 * exceptions++;
            slot[0] = (uint8_t)i;
            slot[1] = (uint8_t)(i >> 8);
            slot[2] = (uint8_t)e;
            code = 0;
        }
        if (i & 1)
            differences[i / 2] |= (uint8_t)(code << 4);
        else
            differences[i / 2] = (uint8_t)code;
    }
    head[0] = (uint8_t)largest;
    head[1] = (uint8_t)exceptions;
    return 1;
}

void ok_floats_mark(uint32_t place, size_t n, uint32_t slots, uint8_t *row) {
    __builtin_memset(row, 0, ok_floats_stride(n, slots));
    for (size_t i = 0; i < 4; i++) row[i] = (uint8_t)(place >> 8 * i);
    row[3 * n + (n + 1) / 2 + 1] = OK_FLOATS_WHOLE;
}

int64_t ok_floats_place(const struct ok_floats *rows, size_t number) {
    struct packed_row row = packed_row(rows, number);
    uint8_t said = row.slots[-1];
    if (said == OK_FLOATS_WHOLE) {
        const float *whole = whole_floats(rows, &row);
        return whole ? (whole - rows->whole) / (int64_t)rows->n : -2;
    }
    if (said > rows->slots) return -2;
    for (uint32_t i = 0; i < said; i++)
        if ((size_t)(row.slots[3 * i] | row.slots[3 * i + 1] << 8) >= rows->n) return -2;
    return -1;
}
