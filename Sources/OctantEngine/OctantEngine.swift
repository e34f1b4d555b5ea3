// OctantEngine
