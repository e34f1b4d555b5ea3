import Testing

@testable import OctantModel
