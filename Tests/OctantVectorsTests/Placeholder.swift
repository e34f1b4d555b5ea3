import Testing

@testable import OctantVectors
