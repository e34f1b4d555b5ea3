// OctantStorage
