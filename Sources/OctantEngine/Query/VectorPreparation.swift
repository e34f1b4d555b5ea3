package import OctantModel
import OctantVectors

extension VectorParams {
    /// A client's vector as it is stored and searched by: checked, and normalised for cosine.
    ///
    /// Throws `badInput` for a wrong width or a number that is not finite.
    package func prepared(_ vector: Vector, name: String) throws(OctantError) -> [Float] {
        guard case .dense(var components) = vector else {
            throw OctantError(.badInput, "a dense vector is expected for '\(name)'")
        }
        guard components.count == size else {
            throw .wrongDimension(expected: size, got: components.count, name: name)
        }
        guard components.allSatisfy(\.isFinite) else {
            throw OctantError(.badInput, "Vector '\(name)' contains a number that is not finite")
        }
        if distance == .cosine {
            components.withUnsafeMutableBufferPointer { buffer in
                if let base = buffer.baseAddress { DenseKernels.normalize(base, buffer.count) }
            }
        }
        return components
    }
}
