// Compact rows by NEON, whose base set converts halves.
#if defined(__aarch64__)
#include "compact_floats_row.h"
#include "compact_kernels.h"
#include <arm_neon.h>

#define V float32x4_t
#define W 4
#define ZERO vdupq_n_f32(0)
#define LOAD vld1q_f32
#define ADD vaddq_f32
#define TAIL tail
#define REDUCE4 reduce4

static inline float32x4_t tail(const float *p, size_t left) {
    float x[4] = {0, 0, 0, 0};
    for (size_t i = 0; i < left; i++) x[i] = p[i];
    return vld1q_f32(x);
}

static inline void reduce4(float32x4_t a, float32x4_t b, float32x4_t c, float32x4_t d, float *out) {
    vst1q_f32(out, vpaddq_f32(vpaddq_f32(a, b), vpaddq_f32(c, d)));
}

static inline float32x4_t absolute(float32x4_t x) { return vabsq_f32(x); }
static inline float32x4_t square_step(float32x4_t s, float32x4_t x, float32x4_t y) {
    float32x4_t d = vsubq_f32(x, y);
    return vfmaq_f32(s, d, d);
}

static inline float32x4_t halves(const uint16_t *p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
static inline float32x4_t halves_tail(const uint16_t *p, size_t left) {
    uint16_t x[4] = {0, 0, 0, 0};
    for (size_t i = 0; i < left; i++) x[i] = p[i];
    return halves(x);
}

static inline float32x4_t bytes(const uint8_t *p) {
    uint32_t four;
    __builtin_memcpy(&four, p, 4);
    uint16x8_t wide = vmovl_u8(vcreate_u8(four));
    return vcvtq_f32_u32(vmovl_u16(vget_low_u16(wide)));
}
static inline float32x4_t bytes_tail(const uint8_t *p, size_t left) {
    uint8_t x[4] = {0, 0, 0, 0};
    for (size_t i = 0; i < left; i++) x[i] = p[i];
    return bytes(x);
}

// The exponent of each code.
struct exponents {
    uint8x16_t by_code;
};

static inline struct exponents exponents(uint8_t largest) {
    static const uint8_t codes[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return (struct exponents){vsetq_lane_u8(0, vsubq_u8(vdupq_n_u8(largest), vld1q_u8(codes)), OK_FLOATS_ZERO)};
}

// Twelve bytes and four codes.
static inline float32x4_t join_floats(uint8x16_t fractions, uint32_t codes, const struct exponents *e) {
    // Three bytes become four, the third of which stands twice: its uppermost bit is the sign.
    static const uint8_t bytes[16] = {0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11};
    static const int32_t shifts[4] = {0, -4, -8, -12};
    uint32x4_t bits = vreinterpretq_u32_u8(vqtbl1q_u8(fractions, vld1q_u8(bytes)));
    uint32x4_t places = vandq_u32(vshlq_u32(vdupq_n_u32(codes), vld1q_s32(shifts)), vdupq_n_u32(15));
    uint32x4_t exponents = vreinterpretq_u32_u8(vqtbl1q_u8(e->by_code, vreinterpretq_u8_u32(places)));
    exponents = vshrq_n_u32(vshlq_n_u32(exponents, 24), 1);
    return vreinterpretq_f32_u32(vorrq_u32(vandq_u32(bits, vdupq_n_u32(0x807fffff)), exponents));
}

static inline float32x4_t floats(const struct packed_row *row, size_t i, const struct exponents *e) {
    const uint8_t *p = row->fractions + 3 * i;
    uint32_t rest;
    uint16_t codes;
    __builtin_memcpy(&rest, p + 8, 4);
    __builtin_memcpy(&codes, row->differences + i / 2, 2);
    return join_floats(vcombine_u8(vld1_u8(p), vcreate_u8(rest)), codes, e);
}

static inline float32x4_t floats_tail(const struct packed_row *row, size_t i, size_t left, const struct exponents *e) {
    uint8_t part[16] = {0};
    uint32_t codes = 0;
    for (size_t j = 0; j < 3 * left; j++) part[j] = row->fractions[3 * i + j];
    for (size_t j = 0; j < (left + 1) / 2; j++) codes |= (uint32_t)row->differences[i / 2 + j] << 8 * j;
    float x[4];
    vst1q_f32(x, join_floats(vld1q_u8(part), codes, e));
    return tail(x, left);
}

#define FMADD(x, y, s) vfmaq_f32(s, x, y)
#define SUB vsubq_f32
#define STORE vst1q_f32
#include "compact_metrics.h"

void ok_compact_fill_neon(struct ok_compact_table *t) { OK_COMPACT_FILL(t); }
#endif
