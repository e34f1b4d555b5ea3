#ifndef OCTANT_KERNELS_H
#define OCTANT_KERNELS_H
#endif
