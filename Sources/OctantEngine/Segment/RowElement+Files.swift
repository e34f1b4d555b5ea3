package import OctantModel
package import OctantStorage
package import OctantVectors

extension VectorParams {
    /// The form in which new segments keep the vector.
    package var element: RowElement {
        switch datatype {
        case .float32, nil: .float32
        case .float16: .float16
        case .uint8: .uint8
        }
    }

    /// Bytes of one row in that form.
    package var rowBytes: Int { size * element.byteCount }
}

extension RowElement {
    /// What the manifest says of a file of such components; nothing of floats, which all files once had.
    package var recipe: String {
        switch self {
        case .float32: ""
        case .float16: "float16"
        case .uint8: "uint8"
        }
    }

    /// The form of a file's components; `nil` if it is not known here.
    package init?(recipe: String) {
        switch recipe {
        case "": self = .float32
        case "float16": self = .float16
        case "uint8": self = .uint8
        default: return nil
        }
    }
}

extension DenseRows {
    /// The rows of a file of original vectors, which `recipe` tells the form of. `lengths` has one for each row.
    ///
    /// Throws `corrupt` if the form is unknown or the file's data not as long as so many rows of it.
    package init(
        _ file: BlockFile, recipe: String, count: Int, dimension: Int, lengths: UnsafePointer<Float>?
    ) throws(StorageError) {
        guard let element = RowElement(recipe: recipe) else {
            throw StorageError(.corrupt, "\(file.path): components of an unknown form '\(recipe)'")
        }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: dimension * element.byteCount)
        guard !overflow, file.data.count == bytes, let base = file.data.baseAddress else {
            throw StorageError(.corrupt, "\(file.path): not \(count) rows of \(dimension)")
        }
        self.init(base: base, element: element, count: count, dimension: dimension, lengths: lengths)
    }
}
