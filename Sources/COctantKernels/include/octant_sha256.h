#ifndef OCTANT_SHA256_H
#define OCTANT_SHA256_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* SHA-256 (FIPS 180-4), the compression function alone: mixes `count` blocks of 64 bytes into the eight words of
   `state`. By the processor's SHA instructions where it has them. */
void octant_sha256_blocks(uint32_t state[8], const void *blocks, size_t count);
/* The same as the standard spells it, for machines without the instructions and for the tests. */
void octant_sha256_blocks_portable(uint32_t state[8], const void *blocks, size_t count);

#ifdef __cplusplus
}
#endif

#endif
