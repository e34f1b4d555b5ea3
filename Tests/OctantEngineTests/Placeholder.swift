import Testing

@testable import OctantEngine
