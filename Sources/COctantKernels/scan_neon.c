// Scans of sign codes by NEON: one look-up in four registers finds six components of 16 rows.
#if defined(__aarch64__)
#include "scan_kernels.h"
#include <arm_neon.h>

#pragma STDC FP_CONTRACT OFF

static inline void finish(uint16x4_t sums, const float *factors, struct ok_scan_query query, float *out) {
    float32x4_t sum = vcvtq_f32_u32(vmovl_u16(sums));
    float32x4_t dot = vaddq_f32(vdupq_n_f32(query.offset), vmulq_n_f32(sum, query.step));
    float32x4_t score = vaddq_f32(vld1q_f32(factors + OK_SCAN_ROWS), vmulq_f32(vld1q_f32(factors), dot));
    vst1q_f32(out, vaddq_f32(vdupq_n_f32(query.constant), score));
}

void ok_scan_neon(const uint8_t *tables, struct ok_scan_query query, const uint8_t *blocks, size_t lines, size_t count,
                  float *out) {
    for (size_t b = 0; b < count; b++, blocks += ok_scan_block_bytes(lines), out += OK_SCAN_ROWS) {
        uint16x8_t low[4], high[4];
        for (int i = 0; i < 4; i++) low[i] = high[i] = vdupq_n_u16(0);
        for (size_t k = 0; k < lines; k++) {
            const uint8x16x4_t table = vld1q_u8_x4(tables + k * OK_SCAN_TABLE);
            const uint8x16x4_t rows = vld1q_u8_x4(blocks + k * OK_SCAN_ROWS);
            for (int i = 0; i < 4; i++) {
                // An index beyond the table gives 0, where other instruction sets leave out the two highest bits.
                uint8x16_t v = vqtbl4q_u8(table, vandq_u8(rows.val[i], vdupq_n_u8(63)));
                low[i] = vaddw_u8(low[i], vget_low_u8(v));
                high[i] = vaddw_high_u8(high[i], v);
            }
        }
        const float *factors = (const float *)(const void *)(blocks + lines * OK_SCAN_ROWS);
        for (int i = 0; i < 4; i++) {
            finish(vget_low_u16(low[i]), factors + 16 * i, query, out + 16 * i);
            finish(vget_high_u16(low[i]), factors + 16 * i + 4, query, out + 16 * i + 4);
            finish(vget_low_u16(high[i]), factors + 16 * i + 8, query, out + 16 * i + 8);
            finish(vget_high_u16(high[i]), factors + 16 * i + 12, query, out + 16 * i + 12);
        }
    }
}
#endif
