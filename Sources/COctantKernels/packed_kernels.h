// Shared by the packed_*.c files: what every instruction set fills in.
#ifndef OCTANT_PACKED_KERNELS_H
#define OCTANT_PACKED_KERNELS_H

#include "octant_packed.h"

/// One metric's table entry, after packed_rows.h made the functions.
#define OK_PACKED(metric) ((struct ok_packed_metric){metric##_gather, metric##_batch})

void ok_fill_packed_scalar(struct ok_packed_table *t);
#if defined(__x86_64__)
void ok_fill_packed_avx2(struct ok_packed_table *t);
void ok_fill_packed_avx512_vnni(struct ok_packed_table *t);
#endif
#if defined(__aarch64__)
void ok_fill_packed_neon(struct ok_packed_table *t);
#endif

#endif
