// Shared by the scan*.c files.
#ifndef OCTANT_SCAN_KERNELS_H
#define OCTANT_SCAN_KERNELS_H

#include "octant_scan.h"

#if defined(__x86_64__)
void ok_scan_avx2(const uint8_t *tables, struct ok_scan_query query, const uint8_t *blocks, size_t lines, size_t count,
                  float *out);
void ok_scan_vbmi(const uint8_t *tables, struct ok_scan_query query, const uint8_t *blocks, size_t lines, size_t count,
                  float *out);
#endif
#if defined(__aarch64__)
void ok_scan_neon(const uint8_t *tables, struct ok_scan_query query, const uint8_t *blocks, size_t lines, size_t count,
                  float *out);
#endif

#endif
