// OctantVectors
