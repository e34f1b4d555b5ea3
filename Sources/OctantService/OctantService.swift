// OctantService
