/// What the command line asks for.
struct Arguments {
    var data = ""
    var threads = 1
    var m = 16
    var efConstruct = 100
    var json = false
    /// Builds to make: "f32", "codes".
    var builds = ["f32", "codes"]
    var efs = [16, 24, 32, 48, 64, 96, 128, 192, 256]
    var modes = Mode.allCases
    var passes = 3
    var flatQueries = 200
    /// Answer commands on standard input, for measuring beside another program.
    var serve = false
    /// Measure rows of floats, halves and bytes instead of indexes.
    var elements = false
    /// Measure packed codes of every width instead.
    var packed = false
    /// Measure scans of as many rows as a memtable holds instead.
    var memtable = false

    enum Mode: String, CaseIterable {
        case f32, codes, codesOnly = "codes-only", half, tenth, listTenth = "list-tenth", flat, flatCodes = "flat-codes"
    }

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    mutating func parse(_ words: ArraySlice<String>) throws {
        var rest = words
        func integer(_ text: String) throws -> Int {
            guard let value = Int(text), value > 0 else { throw Failure(description: "not a positive number: \(text)") }
            return value
        }
        while let option = rest.popFirst() {
            if option == "--json" {
                json = true
                continue
            }
            if option == "--elements" {
                elements = true
                continue
            }
            if option == "--serve" {
                serve = true
                continue
            }
            if option == "--memtable" {
                memtable = true
                continue
            }
            if option == "--packed" {
                packed = true
                continue
            }
            guard let value = rest.popFirst() else { throw Failure(description: "\(option) needs a value") }
            switch option {
            case "--data": data = value
            case "--threads": threads = try integer(value)
            case "--m": m = try integer(value)
            case "--ef-construct": efConstruct = try integer(value)
            case "--passes": passes = try integer(value)
            case "--flat-queries": flatQueries = try integer(value)
            case "--builds": builds = value.split(separator: ",").map(String.init)
            case "--ef": efs = try value.split(separator: ",").map { try integer(String($0)) }
            case "--modes": modes = value.split(separator: ",").compactMap { Mode(rawValue: String($0)) }
            default: throw Failure(description: "unknown option \(option)")
            }
        }
        if data.isEmpty { throw Failure(description: "--data FOLDER is needed") }
    }
}
