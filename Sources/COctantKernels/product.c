// Dispatch of the kernels of product quantisation, and all of them that are plain C.
#include "include/octant_distance.h"
#include "include/octant_product.h"

// Four floats: what every x86-64 has, and NEON.
#define W 4
#define PREFIX(name) base_##name
#include "product_kernels.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define W 8
#define PREFIX(name) avx2_##name
#include "product_kernels.h"
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512bw,avx512vl,avx512dq"))),                   \
                             apply_to = function)
#define W 16
#define PREFIX(name) avx512_##name
#include "product_kernels.h"
#pragma clang attribute pop

void ok_fill_product_vbmi(struct ok_product_table *t);

static void fill_avx512(struct ok_product_table *t) {
    avx512_fill(t);
    // The least of 16 lanes takes longer to find than the second half of the registers saves.
    t->nearest = avx2_nearest;
}
#endif

struct ok_product_table ok_product;

void ok_product_at(int level, struct ok_product_table *out) {
    switch (level) {
#if defined(__x86_64__)
    case OK_LEVEL_AVX2: avx2_fill(out); break;
    case OK_LEVEL_AVX512: fill_avx512(out); break;
    case OK_LEVEL_AVX512_VNNI:
        fill_avx512(out);
        __builtin_cpu_init();
        if (__builtin_cpu_supports("avx512vbmi")) ok_fill_product_vbmi(out);
        break;
#endif
    default: base_fill(out); break;
    }
}

void ok_select_product(int level) { ok_product_at(level, &ok_product); }

void ok_product_halves(const float *centroids, size_t width, float *halves) {
    for (size_t k = 0; k < OK_CENTROIDS; k++) {
        float s = 0;
        for (size_t c = 0; c < width; c++) s += centroids[c * OK_CENTROIDS + k] * centroids[c * OK_CENTROIDS + k];
        halves[k] = s / 2;
    }
}
