// OctantPayload
