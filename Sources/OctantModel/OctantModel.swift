// OctantModel
