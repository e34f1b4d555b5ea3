print("octant")
