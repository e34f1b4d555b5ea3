// Placeholder until the benchmark lands.
print("octant-index-bench")
