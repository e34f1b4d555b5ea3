// Compact rows by NEON, whose base set converts halves.
#if defined(__aarch64__)
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

#define FMADD(x, y, s) vfmaq_f32(s, x, y)
#define SUB vsubq_f32
#define STORE vst1q_f32
#include "compact_metrics.h"

void ok_compact_fill_neon(struct ok_compact_table *t) { OK_COMPACT_FILL(t); }
#endif
