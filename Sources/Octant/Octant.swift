// Octant
