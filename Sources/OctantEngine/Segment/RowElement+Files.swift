package import OctantModel
package import OctantStorage
package import OctantVectors

extension VectorParams {
    /// The form in which memtables keep the vector, and new segments where they do not pack it.
    package var element: RowElement {
        switch datatype {
        case .float32, nil: .float32
        case .float16: .float16
        case .uint8: .uint8
        case .turbo4: .turbo(.four(distance))
        case .turbo8: .turbo(.eight(distance))
        }
    }

    /// Bytes of one row in that form.
    package var rowBytes: Int { element.rowBytes(size) }
}

extension RowElement {
    /// What the manifest says of a file of such components; nothing of floats, which all files once had.
    package var recipe: String {
        switch self {
        case .float32: ""
        case .float16: "float16"
        case .uint8: "uint8"
        case .turbo(let form): form.bits == 8 ? "turbo8" : "turbo4"
        case .packedFloat32(let form): Self.packedRecipe + String(form.slots)
        }
    }

    private static let packedRecipe = "float32 packed exceptions="

    /// The form of the components in a file of vectors that are compared so; `nil` if it is not known here.
    package init?(recipe: String, _ distance: Distance) {
        switch recipe {
        case "": self = .float32
        case "float16": self = .float16
        case "uint8": self = .uint8
        case "turbo4": self = .turbo(.four(distance))
        case "turbo8": self = .turbo(.eight(distance))
        default:
            guard recipe.hasPrefix(Self.packedRecipe), let slots = Int(recipe.dropFirst(Self.packedRecipe.count)),
                let form = PackedFloatForm(slots: slots)
            else { return nil }
            self = .packedFloat32(form)
            // Each form has one name.
            guard self.recipe == recipe else { return nil }
        }
    }
}

extension DenseRows {
    /// The rows of a file of original vectors, which `recipe` tells the form of. `lengths` has one for each row.
    ///
    /// Throws `corrupt` if the form is unknown or the file's data not as long as so many rows of it.
    package init(
        _ file: BlockFile, recipe: String, count: Int, _ params: VectorParams, lengths: UnsafePointer<Float>?
    ) throws(StorageError) {
        let dimension = params.size
        guard let element = RowElement(recipe: recipe, params.distance) else {
            throw StorageError(.corrupt, "\(file.path): components of an unknown form '\(recipe)'")
        }
        if case .packedFloat32(let form) = element {
            guard let rows = DenseRows(packed: file.data, form, count: count, dimension: dimension) else {
                throw StorageError(.corrupt, "\(file.path): not \(count) packed rows of \(dimension)")
            }
            self = rows
            return
        }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: element.rowBytes(dimension))
        guard !overflow, file.data.count - element.tailBytes == bytes, let base = file.data.baseAddress else {
            throw StorageError(.corrupt, "\(file.path): not \(count) rows of \(dimension)")
        }
        self.init(base: base, element: element, count: count, dimension: dimension, lengths: lengths)
    }
    /// Where in the file's data a row lies that could not be packed; `nil` if it is packed.
    package func wholeRange(_ row: UInt32) -> Range<Int>? {
        guard case .whole(let place)? = packedPlace(row) else { return nil }
        let start = byteCount + place * dimension * 4
        return start..<start + dimension * 4
    }
}
