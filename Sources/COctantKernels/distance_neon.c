// NEON kernels: the base instruction set of arm64.
#if defined(__aarch64__)
#include "distance_kernels.h"
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

static inline float32x4_t square_step(float32x4_t s, float32x4_t x, float32x4_t y) {
    float32x4_t d = vsubq_f32(x, y);
    return vfmaq_f32(s, d, d);
}

#define METRIC(name) dot_##name
#define STEP(s, x, y) s = vfmaq_f32(s, x, y)
#include "distance_f32.h"
#define METRIC(name) l2_##name
#define STEP(s, x, y) s = square_step(s, x, y)
#include "distance_f32.h"
#define METRIC(name) l1_##name
#define STEP(s, x, y) s = vaddq_f32(s, vabdq_f32(x, y))
#include "distance_f32.h"

#undef V
#undef ZERO
#define V int32x4_t
#define B 16
#define ZERO vdupq_n_s32(0)
#define LOADB(p) vreinterpretq_s32_u8(vld1q_u8(p))
#define REDUCE4I reduce4i

static inline void reduce4i(int32x4_t a, int32x4_t b, int32x4_t c, int32x4_t d, int32_t correction, int32_t *out) {
    int32x4_t s = vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d));
    vst1q_s32(out, vsubq_s32(s, vdupq_n_s32(correction)));
}

static inline int32x4_t dot_step(int32x4_t s, int32x4_t x, int32x4_t y) {
    int8x16_t q = vreinterpretq_s8_s32(x);
    int8x16_t c = vreinterpretq_s8_u8(veorq_u8(vreinterpretq_u8_s32(y), vdupq_n_u8(0x80)));
    s = vpadalq_s16(s, vmull_s8(vget_low_s8(q), vget_low_s8(c)));
    return vpadalq_s16(s, vmull_high_s8(q, c));
}

static inline int32x4_t sad_step(int32x4_t s, int32x4_t x, int32x4_t y) {
    uint8x16_t d = vabdq_u8(vreinterpretq_u8_s32(x), vreinterpretq_u8_s32(y));
    return vreinterpretq_s32_u32(vpadalq_u16(vreinterpretq_u32_s32(s), vpaddlq_u8(d)));
}

#define METRIC(name) code_dot_##name
#define STEP(s, x, y) s = dot_step(s, x, y)
#define CORRECTION(qsum) ((void)(qsum), 0)
#include "distance_u8.h"
#define METRIC(name) code_sad_##name
#define STEP(s, x, y) s = sad_step(s, x, y)
#define CORRECTION(qsum) ((void)(qsum), 0)
#include "distance_u8.h"

static inline void nibble_step(int32x4_t *low, int32x4_t *high, int32x4_t x, int32x4_t y, int32x4_t row) {
    uint8x16_t r = vreinterpretq_u8_s32(row);
    int8x16_t l = vreinterpretq_s8_u8(vandq_u8(r, vdupq_n_u8(15))), h = vreinterpretq_s8_u8(vshrq_n_u8(r, 4));
    int8x16_t p = vreinterpretq_s8_s32(x), q = vreinterpretq_s8_s32(y);
    *low = vpadalq_s16(*low, vmlal_high_s8(vmull_s8(vget_low_s8(l), vget_low_s8(p)), l, p));
    *high = vpadalq_s16(*high, vmlal_high_s8(vmull_s8(vget_low_s8(h), vget_low_s8(q)), h, q));
}

#define METRIC(name) nibble_dot_##name
#define STEP(low, high, x, y, r) nibble_step(&low, &high, x, y, r)
#define COMBINE(low, high) vaddq_s32(low, high)
#include "distance_u4.h"

void ok_fill_neon(struct ok_kernel_table *t) {
    t->dot = (struct ok_f32_metric){dot_one, dot_gather, dot_batch};
    t->l2 = (struct ok_f32_metric){l2_one, l2_gather, l2_batch};
    t->l1 = (struct ok_f32_metric){l1_one, l1_gather, l1_batch};
    t->code_dot = (struct ok_u8_metric){code_dot_gather, code_dot_batch};
    t->code_sad = (struct ok_u8_metric){code_sad_gather, code_sad_batch};
    t->nibble_dot = (struct ok_u8_metric){nibble_dot_gather, nibble_dot_batch};
    ok_fill_packed_neon(&t->packed);
}
#endif
