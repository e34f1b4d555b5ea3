import Testing

@testable import OctantREST
