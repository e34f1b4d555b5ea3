package import OctantStorage

/// The names of a data folder: collections by name, and aliases. Published whole, like a manifest; its bytes are
/// specified in `docs/format/catalog.md`.
package struct Catalog: Sendable, Equatable {
    /// The folder of each collection.
    package var collections: [String: UUIDBytes] = [:]
    /// The collection each alias names.
    package var aliases: [String: String] = [:]

    /// No names.
    package init() {}

    /// The bytes of the catalog.
    package func encoded() -> [UInt8] {
        var out = ByteWriter()
        out.u32(1)
        out.varint(UInt64(collections.count))
        for (name, uuid) in collections.sorted(by: { $0.key < $1.key }) {
            out.string(name)
            out.uuid(uuid)
        }
        out.varint(UInt64(aliases.count))
        for (alias, name) in aliases.sorted(by: { $0.key < $1.key }) {
            out.string(alias)
            out.string(name)
        }
        return out.bytes
    }

    /// Reads a catalog; throws `corrupt` if the bytes are not one.
    package init(_ bytes: [UInt8]) throws(StorageError) {
        self = try ByteReader.reading(bytes, name: "catalog") { (reader: inout ByteReader) throws(StorageError) in
            var catalog = Catalog()
            guard try reader.u32() == 1 else { throw reader.damaged("unknown catalog format") }
            for _ in 0..<(try reader.count()) {
                let name = try reader.string()
                catalog.collections[name] = try reader.uuid()
            }
            for _ in 0..<(try reader.count()) {
                let alias = try reader.string()
                catalog.aliases[alias] = try reader.string()
            }
            try reader.finish()
            return catalog
        }
    }
}
