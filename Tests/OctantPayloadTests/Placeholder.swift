import Testing

@testable import OctantPayload
