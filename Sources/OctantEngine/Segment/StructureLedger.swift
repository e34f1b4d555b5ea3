package import OctantModel
import OctantStorage
import OctantVectors

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What a segment holds open, for the memory report.
package final class StructureLedger: Sendable {
    private struct Held: @unchecked Sendable {
        // SAFETY: the bytes are read only and belong to `owner`; only their addresses are used.
        var file: SegmentEntry.FileEntry
        var residence: Residence?
        var bytes: UnsafeRawBufferPointer
        var owner: AnyObject
    }

    private let held = Monitor<[Held]>([])

    package init() {}

    /// Notes a file, and where its bytes are: in its mapping or in a copy.
    func note(_ file: SegmentEntry.FileEntry, _ residence: Residence?, _ owner: AnyObject) {
        let bytes: UnsafeRawBufferPointer
        switch owner {
        case let mapped as BlockFile: bytes = mapped.mapping
        case let copy as HugeRegion: bytes = UnsafeRawBufferPointer(start: copy.base, count: copy.byteCount)
        default: return
        }
        let entry = Held(file: file, residence: residence, bytes: bytes, owner: owner)
        held.withLock { all in
            all.append(entry)
        }
    }

    /// Notes how a mapped file is held.
    func place(_ mapped: BlockFile, _ residence: Residence) {
        held.withLock { all in
            for place in all.indices where all[place].owner === mapped { all[place].residence = residence }
        }
    }

    /// Takes over what another holds, but for field indexes.
    func adopt(_ other: StructureLedger) {
        let kept = other.held.withLock { $0.filter { $0.file.role != .fieldIndex } }
        held.withLock { $0 += kept }
    }

    /// The structures as they are now.
    package func structures() -> [MemoryReport.Structure] {
        held.withLock { $0 }.map { held in
            var use = MemoryUse(disk: Int(clamping: held.file.summary.size))
            if let mapped = held.owner as? BlockFile {
                use.mapped = ProcessPages.residentBytes(held.bytes)
                use.cached = mapped.cachedBytes()
            } else {
                use.anonymous = ProcessPages.residentBytes(held.bytes)
            }
            return MemoryReport.Structure(
                kind: held.file.role.reportName, subject: held.file.subject, residence: held.residence, use: use)
        }
    }
}

extension SegmentEntry.Role {
    /// What reports call it.
    var reportName: String {
        switch self {
        case .ids: "ids"
        case .payload: "payload"
        case .vectors: "vectors"
        case .presence: "presence"
        case .codes: "codes"
        case .graph: "graph"
        case .fieldIndex: "field_index"
        case .sparse: "sparse"
        case .multivectors: "multivectors"
        case .lengths: "lengths"
        case .inlineGraph: "inline_graph"
        }
    }
}
