import COctantKernels

/// What the system says of this process's memory. Zero where it says nothing.
package enum ProcessPages {
    /// Bytes of a range that are in this process's memory, in whole pages.
    package static func residentBytes(_ range: UnsafeRawBufferPointer) -> Int {
        guard let start = range.baseAddress, range.count > 0 else { return 0 }
        return Int(octant_resident_bytes(start, range.count))
    }

    /// Bytes of the process that the system cannot take back: anonymous memory, and what is locked.
    package static var held: Int { Int(clamping: octant_held_memory()) }

    /// Bytes of the whole process: in memory, of that anonymous, and locked.
    package static var totals: (resident: Int, anonymous: Int, locked: Int) {
        var totals = octant_memory_totals()
        octant_read_memory_totals(&totals)
        return (Int(totals.resident), Int(totals.anonymous), Int(totals.locked))
    }
}
