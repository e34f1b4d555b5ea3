// Shared by the compact*.c files: what every instruction set fills in.
#ifndef OCTANT_COMPACT_KERNELS_H
#define OCTANT_COMPACT_KERNELS_H

#include "octant_compact.h"

void ok_compact_fill_scalar(struct ok_compact_table *t);
#if defined(__x86_64__)
void ok_compact_fill_avx2(struct ok_compact_table *t);
void ok_compact_fill_avx512(struct ok_compact_table *t);
#endif
#if defined(__aarch64__)
void ok_compact_fill_neon(struct ok_compact_table *t);
#endif

#define OK_COMPACT_FILL(t)                                                                                            \
    do {                                                                                                              \
        (t)->half[OK_METRIC_DOT] = (struct ok_half_metric){half_dot_gather, half_dot_batch};                          \
        (t)->half[OK_METRIC_L2] = (struct ok_half_metric){half_l2_gather, half_l2_batch};                             \
        (t)->half[OK_METRIC_L1] = (struct ok_half_metric){half_l1_gather, half_l1_batch};                             \
        (t)->byte[OK_METRIC_DOT] = (struct ok_byte_metric){byte_dot_gather, byte_dot_batch};                          \
        (t)->byte[OK_METRIC_L2] = (struct ok_byte_metric){byte_l2_gather, byte_l2_batch};                             \
        (t)->byte[OK_METRIC_L1] = (struct ok_byte_metric){byte_l1_gather, byte_l1_batch};                             \
        (t)->floats[OK_METRIC_DOT] = (struct ok_floats_metric){floats_dot_gather, floats_dot_batch};                  \
        (t)->floats[OK_METRIC_L2] = (struct ok_floats_metric){floats_l2_gather, floats_l2_batch};                     \
        (t)->floats[OK_METRIC_L1] = (struct ok_floats_metric){floats_l1_gather, floats_l1_batch};                     \
        (t)->floats_decode = floats_decode;                                                                           \
        (t)->half_decode = half_decode;                                                                               \
        (t)->byte_decode = byte_decode;                                                                               \
    } while (0)

#endif
