import Testing

@testable import OctantStorage
