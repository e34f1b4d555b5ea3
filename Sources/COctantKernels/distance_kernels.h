// Shared by the distance*.c files: what every instruction set fills in.
#ifndef OCTANT_DISTANCE_KERNELS_H
#define OCTANT_DISTANCE_KERNELS_H

#include "octant_distance.h"
#include "packed_kernels.h"

void ok_fill_scalar(struct ok_kernel_table *t);
#if defined(__x86_64__)
void ok_fill_avx2(struct ok_kernel_table *t);
void ok_fill_avx512(struct ok_kernel_table *t);
void ok_fill_avx512_vnni(struct ok_kernel_table *t);
#endif
#if defined(__aarch64__)
void ok_fill_neon(struct ok_kernel_table *t);
#endif

#endif
