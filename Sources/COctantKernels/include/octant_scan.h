// Scans of sign codes: one bit a component, in blocks of 64 rows that are scored at once.
//
// Layout of a block of rows with n components: g = ceil(n / 6) lines of 64 bytes, then 64 floats, the rows' factors, and 64
// floats, their addends. Byte r of line k holds components 6 k ... 6 k + 5 of row r, the first in its lowest bit; the two
// highest bits are 0, as is room behind the last component.
//
// A query has a table for each line. Six bits are what one permutation of 64 bytes looks up (AVX-512 VBMI, NEON); other
// instruction sets look up four and two. Results are the same on every level of instructions.
#ifndef OCTANT_SCAN_H
#define OCTANT_SCAN_H

#include <stddef.h>
#include <stdint.h>

enum {
    OK_SCAN_ROWS = 64,
    OK_SCAN_COMPONENTS = 6,
    /// Sums are taken in 16 bits.
    OK_SCAN_LINES_MAX = 1024,
    /// Bytes of the tables of a line: one of 64 entries, and those of 16 and of 4 whose sums it holds.
    OK_SCAN_TABLE = 96,
};

/// What a line's sums stand for: with p the query's components and c = -1/2 or 1/2 by a row's bits, the sum over components
/// of c p is about offset + step * sum, and the row's score is constant + (addend + factor * (offset + step * sum)).
struct ok_scan_query {
    float constant, offset, step;
};

typedef void (*ok_scan_fn)(const uint8_t *tables, struct ok_scan_query query, const uint8_t *blocks, size_t lines,
                           size_t count, float *out);

/// Bytes of a block of rows of so many lines.
static inline size_t ok_scan_block_bytes(size_t lines) { return lines * OK_SCAN_ROWS + 2 * 4 * OK_SCAN_ROWS; }

/// Makes the tables of n components p, OK_SCAN_TABLE bytes for each line, and says what their sums stand for.
void ok_scan_tables(const float *p, size_t n, uint8_t *tables, float *offset, float *step);

/// The kernel in use.
extern ok_scan_fn ok_scan_kernel;
/// Scores all 64 rows of each of `count` consecutive blocks.
static inline void ok_scan(const uint8_t *tables, struct ok_scan_query query, const uint8_t *blocks, size_t lines,
                           size_t count, float *out) {
    ok_scan_kernel(tables, query, blocks, lines, count, out);
}
/// The kernel of a level of instructions.
ok_scan_fn ok_scan_at(int level);

/// Scores rows by number, one after another: for a few of them.
void ok_scan_rows(const uint8_t *tables, struct ok_scan_query query, const uint8_t *blocks, size_t lines,
                  const uint32_t *ids, size_t count, float *out);

/// Writes the signs of n components of row `row` (0 ... 63) into a block of zeros; positive is 1. Returns the sum of their
/// magnitudes.
float ok_scan_encode(const float *x, size_t n, size_t row, uint8_t *block);
/// Writes -1/2 or 1/2 for each of the n components of a row.
void ok_scan_decode(const uint8_t *block, size_t row, size_t n, float *out);

#endif
