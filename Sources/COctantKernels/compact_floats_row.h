// The pieces of a row of packed floats. Included by the templates and by compact_floats.c.
#ifndef OCTANT_COMPACT_FLOATS_ROW_H
#define OCTANT_COMPACT_FLOATS_ROW_H

#include "octant_compact.h"

struct packed_row {
    // Three bytes of each float: 23 bits of fraction, below the sign.
    const uint8_t *fractions;
    // Four bits of each: how much smaller its exponent is than the largest.
    const uint8_t *differences;
    // Three bytes of each exception: which float, and its exponent.
    const uint8_t *slots;
    uint32_t exceptions;
    uint8_t largest;
};

static inline struct packed_row packed_row(const struct ok_floats *rows, size_t number) {
    struct packed_row row;
    row.fractions = rows->base + number * rows->stride;
    row.differences = row.fractions + 3 * rows->n;
    const uint8_t *head = row.differences + (rows->n + 1) / 2;
    row.largest = head[0];
    row.exceptions = head[1];
    if (row.exceptions != OK_FLOATS_WHOLE && row.exceptions > rows->slots) row.exceptions = rows->slots;
    row.slots = head + 2;
    return row;
}

// The floats of a row that is kept whole; NULL if there are no such.
static inline const float *whole_floats(const struct ok_floats *rows, const struct packed_row *row) {
    uint32_t place;
    __builtin_memcpy(&place, row->fractions, sizeof place);
    return place < rows->whole_count ? rows->whole + (size_t)place * rows->n : 0;
}

// Puts the exponents of exceptions among the floats from `at` on.
static inline void put_exceptions(const struct packed_row *row, size_t at, size_t count, float *out) {
    for (uint32_t i = 0; i < row->exceptions; i++) {
        const uint8_t *slot = row->slots + 3 * i;
        size_t place = (size_t)(slot[0] | slot[1] << 8) - at;
        if (place >= count) continue;
        uint32_t bits;
        __builtin_memcpy(&bits, out + place, sizeof bits);
        bits = (bits & 0x807fffff) | (uint32_t)slot[2] << 23;
        __builtin_memcpy(out + place, &bits, sizeof bits);
    }
}

#endif
