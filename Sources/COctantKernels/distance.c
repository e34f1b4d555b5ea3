#include "octant_distance.h"
