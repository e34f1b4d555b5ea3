// OctantREST
