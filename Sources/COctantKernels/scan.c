// Sign codes: tables, dispatch, and what is plain C.
#include "scan_kernels.h"
#include "octant_distance.h"

// Products and sums are rounded one by one, as the vector kernels do.
#pragma STDC FP_CONTRACT OFF

static void scan_scalar(const uint8_t *tables, struct ok_scan_query query, const uint8_t *blocks, size_t lines,
                        size_t count, float *out) {
    for (size_t b = 0; b < count; b++, blocks += ok_scan_block_bytes(lines), out += OK_SCAN_ROWS) {
        uint16_t sums[OK_SCAN_ROWS] = {0};
        for (size_t k = 0; k < lines; k++) {
            const uint8_t *table = tables + k * OK_SCAN_TABLE, *line = blocks + k * OK_SCAN_ROWS;
            for (size_t r = 0; r < OK_SCAN_ROWS; r++) sums[r] = (uint16_t)(sums[r] + table[line[r] & 63]);
        }
        const float *factors = (const float *)(const void *)(blocks + lines * OK_SCAN_ROWS);
        const float *addends = factors + OK_SCAN_ROWS;
        for (size_t r = 0; r < OK_SCAN_ROWS; r++) {
            float product = factors[r] * (query.offset + query.step * (float)sums[r]);
            out[r] = query.constant + (addends[r] + product);
        }
    }
}

void ok_scan_rows(const uint8_t *tables, struct ok_scan_query query, const uint8_t *blocks, size_t lines,
                  const uint32_t *ids, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) {
        const uint8_t *block = blocks + ids[i] / OK_SCAN_ROWS * ok_scan_block_bytes(lines);
        size_t row = ids[i] % OK_SCAN_ROWS;
        uint16_t sum = 0;
        for (size_t k = 0; k < lines; k++)
            sum = (uint16_t)(sum + tables[k * OK_SCAN_TABLE + (block[k * OK_SCAN_ROWS + row] & 63)]);
        const float *factors = (const float *)(const void *)(block + lines * OK_SCAN_ROWS);
        float product = factors[row] * (query.offset + query.step * (float)sum);
        out[i] = query.constant + (factors[OK_SCAN_ROWS + row] + product);
    }
}

// Which of four components are in each of their subsets.
static const float subsets[4][16] = {
    {0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1},
    {0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1},
    {0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1},
    {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1},
};

static inline float below(float x) { return x < 0 ? 0 - x : 0; }

// The entries of a line: sums of its components' subsets, in steps over the least sum.
static void line_tables(const float *p, float inverse, uint8_t *tables) {
    const float q[6] = {p[0] * inverse, p[1] * inverse, p[2] * inverse, p[3] * inverse, p[4] * inverse, p[5] * inverse};
    const float four = below(q[0]) + below(q[1]) + below(q[2]) + below(q[3]) + 0.5f, two = below(q[4]) + below(q[5]) + 0.5f;
    int32_t low[16];
    for (size_t e = 0; e < 16; e++)
        low[e] = (int32_t)(four + q[0] * subsets[0][e] + q[1] * subsets[1][e] + q[2] * subsets[2][e] +
                           q[3] * subsets[3][e]);
    // Sums of the least subsets may be a little below 0.5, never by as much.
    const uint8_t high[4] = {(uint8_t)two, (uint8_t)(two + q[4]), (uint8_t)(two + q[5]), (uint8_t)(two + q[4] + q[5])};
    for (size_t e = 0; e < 16; e++) tables[64 + e] = (uint8_t)low[e];
    for (size_t e = 0; e < 16; e++) tables[80 + e] = e < 4 ? high[e] : 0;
    for (size_t h = 0; h < 4; h++)
        for (size_t e = 0; e < 16; e++) tables[16 * h + e] = (uint8_t)(tables[64 + e] + high[h]);
}

void ok_scan_tables(const float *p, size_t n, uint8_t *tables, float *offset, float *step) {
    float total = 0, widest = 0;
    for (size_t at = 0; at < n; at += OK_SCAN_COMPONENTS) {
        size_t count = n - at < OK_SCAN_COMPONENTS ? n - at : OK_SCAN_COMPONENTS;
        float range = 0;
        for (size_t i = at; i < at + count; i++) range += p[i] < 0 ? 0 - p[i] : p[i];
        // The least subset is of the components below 0; with half of the sum taken off, half of the range is left.
        total -= range / 2;
        widest = range > widest ? range : widest;
    }
    // Both parts may be rounded up, and four lines are summed in a byte.
    float inverse = 61 / widest;
    int usable = inverse > 0 && inverse <= 3.402823466e38f && total >= -3.402823466e38f;
    *offset = usable ? total : 0;
    *step = usable ? widest / 61 : 0;
    if (!usable) {
        __builtin_memset(tables, 0, (n + OK_SCAN_COMPONENTS - 1) / OK_SCAN_COMPONENTS * OK_SCAN_TABLE);
        return;
    }
    for (; n >= OK_SCAN_COMPONENTS; n -= OK_SCAN_COMPONENTS, p += OK_SCAN_COMPONENTS, tables += OK_SCAN_TABLE)
        line_tables(p, inverse, tables);
    if (n > 0) {
        float rest[OK_SCAN_COMPONENTS] = {0};
        for (size_t i = 0; i < n; i++) rest[i] = p[i];
        line_tables(rest, inverse, tables);
    }
}

float ok_scan_encode(const float *x, size_t n, size_t row, uint8_t *block) {
    float sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i] < 0 ? 0 - x[i] : x[i];
        if (x[i] > 0) block[i / 6 * OK_SCAN_ROWS + row] |= (uint8_t)(1u << i % 6);
    }
    return sum;
}

void ok_scan_decode(const uint8_t *block, size_t row, size_t n, float *out) {
    for (size_t i = 0; i < n; i++) out[i] = (block[i / 6 * OK_SCAN_ROWS + row] >> i % 6 & 1) != 0 ? 0.5f : -0.5f;
}

ok_scan_fn ok_scan_kernel = scan_scalar;

ok_scan_fn ok_scan_at(int level) {
    switch (level) {
#if defined(__x86_64__)
    case OK_LEVEL_AVX512_VNNI:
        __builtin_cpu_init();
        if (__builtin_cpu_supports("avx512vbmi")) return ok_scan_vbmi;
        return ok_scan_avx2;
    case OK_LEVEL_AVX512:
    case OK_LEVEL_AVX2: return ok_scan_avx2;
#endif
#if defined(__aarch64__)
    case OK_LEVEL_NEON: return ok_scan_neon;
#endif
    default: return scan_scalar;
    }
}
