// Packed codes by NEON.
#if defined(__aarch64__)
#include "packed_kernels.h"
#include <arm_neon.h>

#define V int32x4_t
#define ZERO vdupq_n_s32(0)
#define REDUCE4I reduce4i
#define LOADQ(p) vld1q_u8(p)
#define RB 16
#define ROW LOADQ
#define LOOK vqtbl1q_u8

static inline void reduce4i(int32x4_t a, int32x4_t b, int32x4_t c, int32x4_t d, int32_t extra, int32_t *out) {
    int32x4_t s = vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d));
    vst1q_s32(out, vsubq_s32(s, vdupq_n_s32(extra)));
}

// Both are signed bytes.
static inline int32x4_t dot(int32x4_t s, uint8x16_t level, uint8x16_t x) {
    int8x16_t l = vreinterpretq_s8_u8(level), q = vreinterpretq_s8_u8(x);
    s = vpadalq_s16(s, vmull_s8(vget_low_s8(l), vget_low_s8(q)));
    return vpadalq_s16(s, vmull_high_s8(l, q));
}
static inline int32x4_t sad(int32x4_t s, uint8x16_t level, uint8x16_t x) {
    return vreinterpretq_s32_u32(vpadalq_u16(vreinterpretq_u32_s32(s), vpaddlq_u8(vabdq_u8(level, x))));
}
static inline uint8x16_t low(uint8x16_t r) { return vandq_u8(r, vdupq_n_u8(15)); }
static inline uint8x16_t high(uint8x16_t r) { return vshrq_n_u8(r, 4); }

// ---- 2 bits ----

static inline int32x4_t dot2(int32x4_t s, uint8x16_t r, uint8x16_t x0, uint8x16_t x1, uint8x16_t x2, uint8x16_t x3,
                             uint8x16_t a, uint8x16_t b) {
    uint8x16_t l = low(r), h = high(r);
    s = dot(dot(s, LOOK(a, l), x0), LOOK(b, l), x1);
    return dot(dot(s, LOOK(a, h), x2), LOOK(b, h), x3);
}
static inline int32x4_t sad2(int32x4_t s, uint8x16_t r, uint8x16_t x0, uint8x16_t x1, uint8x16_t x2, uint8x16_t x3,
                             uint8x16_t a, uint8x16_t b) {
    uint8x16_t l = low(r), h = high(r);
    s = sad(sad(s, LOOK(a, l), x0), LOOK(b, l), x1);
    return sad(sad(s, LOOK(a, h), x2), LOOK(b, h), x3);
}

#define QUERY2(LD, i)                                                                                                 \
    const uint8x16_t x0 = LD(q + (i)), x1 = LD(q + bytes + (i)), x2 = LD(q + 2 * bytes + (i)),                        \
                     x3 = LD(q + 3 * bytes + (i))
#define METRIC(name) dot2_##name
#define SETUP const uint8x16_t a = vld1q_u8(levels), b = vld1q_u8(levels + 16)
#define QUERY QUERY2
#define STEP(s, r) s = dot2(s, r, x0, x1, x2, x3, a, b)
#include "packed_rows.h"
#define METRIC(name) sad2_##name
#define SETUP const uint8x16_t a = vld1q_u8(levels), b = vld1q_u8(levels + 16)
#define QUERY QUERY2
#define STEP(s, r) s = sad2(s, r, x0, x1, x2, x3, a, b)
#include "packed_rows.h"

// ---- 4 bits ----

#define QUERY4(LD, i) const uint8x16_t x0 = LD(q + (i)), x1 = LD(q + bytes + (i))
#define step4(OP, s, r)                                                                                               \
    do {                                                                                                              \
        uint8x16_t row = r;                                                                                           \
        s = OP(OP(s, LOOK(a, low(row)), x0), LOOK(a, high(row)), x1);                                                 \
    } while (0)
#define METRIC(name) dot4_##name
#define SETUP const uint8x16_t a = vld1q_u8(levels)
#define QUERY QUERY4
#define STEP(s, r) step4(dot, s, r)
#include "packed_rows.h"
#define METRIC(name) sad4_##name
#define SETUP const uint8x16_t a = vld1q_u8(levels)
#define QUERY QUERY4
#define STEP(s, r) step4(sad, s, r)
#include "packed_rows.h"

// ---- 8 bits ----

#define METRIC(name) dot8_##name
#define SETUP
#define QUERY(LD, i) const uint8x16_t x = LD(q + (i))
#define STEP(s, r) s = dot(s, veorq_u8(r, vdupq_n_u8(0x80)), x)
#include "packed_rows.h"
#define METRIC(name) sad8_##name
#define SETUP
#define QUERY(LD, i) const uint8x16_t x = LD(q + (i))
#define STEP(s, r) s = sad(s, r, x)
#include "packed_rows.h"

// ---- one bit: rows are whole 8 bytes; two of them become a mask of 16 ----

#undef RB
#undef ROW
#define RB 2
#define ROW(p) load_mask(p)
static inline uint8x16_t load_mask(const uint8_t *p) {
    const uint8x16_t bit = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
    return vtstq_u8(vcombine_u8(vdup_n_u8(p[0]), vdup_n_u8(p[1])), bit);
}

#define METRIC(name) dot1_##name
#define SETUP
#define QUERY(LD, i) const uint8x16_t x = LD(q + 8 * (i))
#define STEP(s, m) s = vpadalq_s16(s, vpaddlq_s8(vreinterpretq_s8_u8(vandq_u8(m, x))))
#include "packed_rows.h"
#define METRIC(name) sad1_##name
#define SETUP const uint8x16_t clear = vdupq_n_u8(levels[0]), set = vdupq_n_u8(levels[1])
#define QUERY(LD, i) const uint8x16_t x = LD(q + 8 * (i))
#define STEP(s, m) s = sad(s, vbslq_u8(m, set, clear), x)
#include "packed_rows.h"

#undef RB
#undef ROW
#undef LOADQ
#define RB 8
#define LOADQ(p) vld1_u8(p)
#define ROW LOADQ
#define METRIC(name) differing_##name
#define SETUP
#define QUERY(LD, i) const uint8x8_t x = LD(q + (i))
#define STEP(s, r)                                                                                                    \
    s = vreinterpretq_s32_u32(vaddw_u16(vreinterpretq_u32_s32(s), vpaddl_u8(vcnt_u8(veor_u8(x, r)))))
#include "packed_rows.h"

void ok_fill_packed_neon(struct ok_packed_table *t) {
    t->dot[0] = OK_PACKED(dot1), t->dot[1] = OK_PACKED(dot2), t->dot[2] = OK_PACKED(dot4), t->dot[3] = OK_PACKED(dot8);
    t->sad[0] = OK_PACKED(sad1), t->sad[1] = OK_PACKED(sad2), t->sad[2] = OK_PACKED(sad4), t->sad[3] = OK_PACKED(sad8);
    t->differing = OK_PACKED(differing);
}
#endif
