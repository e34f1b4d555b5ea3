#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A drawing of a tuning report: recall over time, points as large as the memory they take.
///
/// Time has a logarithmic scale, and so has the loss of recall, 1 − recall: from 0.98 to 0.99 is as far as from 0.96 to
/// 0.98.
public struct TuningPlot {
    private let report: TuningReport
    private let width = 860.0
    private let height = 560.0
    private let left = 74.0
    private let right = 220.0
    private let top = 46.0
    private let bottom = 62.0
    private let times: ClosedRange<Double>
    private let losses: ClosedRange<Double>
    private let memoryMax: Double

    /// The smallest loss that is drawn; less is drawn there.
    private static let lossMin = 0.0005

    /// A plot of a report.
    public init(_ report: TuningReport) {
        self.report = report
        let milliseconds = report.points.map { max($0.p50Microseconds / 1000, 0.0001) }
        let least = milliseconds.min() ?? 0.1
        times = (least / 1.3)...(max(milliseconds.max() ?? 1, least) * 1.3)
        let worst = report.points.map { 1 - $0.recall }.max() ?? 0.1
        losses = Self.lossMin...min(max(worst * 1.2, 0.02), 1)
        memoryMax = Double(report.points.map(\.memoryBytes).max() ?? 1)
    }

    /// The drawing as SVG.
    public var svg: String {
        var parts = [
            #"<svg xmlns="http://www.w3.org/2000/svg" width="\#(number(width))" height="\#(number(height))" "#
                + #"viewBox="0 0 \#(number(width)) \#(number(height))" font-family="sans-serif" font-size="12">"#,
            #"<rect width="100%" height="100%" fill="white"/>"#,
            text(left, 24, "Recall@\(report.limit) and time of a search, \(report.rows) points", size: 15),
        ]
        parts += axes
        parts += front
        parts += report.points.indices.map(mark)
        parts += legend
        return parts.joined(separator: "\n") + "\n</svg>\n"
    }

    // MARK: Scales

    private func x(_ milliseconds: Double) -> Double {
        let least = times.lowerBound
        let share = log(max(milliseconds, least) / least) / log(times.upperBound / least)
        return left + min(share, 1) * (width - left - right)
    }

    private func y(_ recall: Double) -> Double {
        let loss = min(max(1 - recall, losses.lowerBound), losses.upperBound)
        let share = log(loss / losses.lowerBound) / log(losses.upperBound / losses.lowerBound)
        return top + share * (height - top - bottom)
    }

    private func radius(_ bytes: Int) -> Double { 2 + 10 * (Double(max(bytes, 0)) / max(memoryMax, 1)).squareRoot() }

    // MARK: Parts

    private var axes: [String] {
        let (x0, x1, y0, y1) = (left, width - right, top, height - bottom)
        var parts = [
            line(x0, y1, x1, y1, "#333"), line(x0, y0, x0, y1, "#333"),
            text((x0 + x1) / 2, height - 18, "median processor time of a search, ms", anchor: "middle"),
            #"<text transform="translate(18 \#(number((y0 + y1) / 2))) rotate(-90)" text-anchor="middle">"#
                + "recall@\(report.limit)</text>",
        ]
        for power in -4...5 {
            for factor in [1.0, 2, 5] {
                let value = factor * pow(10, Double(power))
                guard times.contains(value) else { continue }
                parts.append(line(x(value), y0, x(value), y1, "#e4e4e4"))
                parts.append(text(x(value), y1 + 18, Self.label(value), anchor: "middle"))
            }
        }
        for recall in [0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999] where losses.contains(1 - recall) {
            parts.append(line(x0, y(recall), x1, y(recall), "#e4e4e4"))
            parts.append(text(x0 - 8, y(recall) + 4, "\(recall)", anchor: "end"))
        }
        if let wanted = report.goal.recall, wanted < 1 {
            parts.append(line(x0, y(wanted), x1, y(wanted), "#c0392b", dashed: true))
        }
        return parts
    }

    /// A line through the points of the front, of which none is both faster and more precise than another: the best that
    /// any memory buys.
    private var front: [String] {
        var best = -1.0
        var places: [String] = []
        for point in report.points.filter(\.isParetoOptimal).sorted(by: { $0.p50Microseconds < $1.p50Microseconds })
        where point.recall > best {
            best = point.recall
            places.append("\(number(x(point.p50Microseconds / 1000))),\(number(y(point.recall)))")
        }
        return [
            ##"<polyline fill="none" stroke="#1f6fb2" stroke-width="1" points="\##(places.joined(separator: " "))"/>"##
        ]
    }

    private func mark(_ place: Int) -> String {
        let point = report.points[place]
        let fill = point.isParetoOptimal ? "#1f6fb2" : "#b5b5b5"
        let (cx, cy) = (x(point.p50Microseconds / 1000), y(point.recall))
        let r = radius(point.memoryBytes)
        let isSure = point.source == .measured
        let dash = isSure ? #" fill-opacity="0.55""# : #" stroke-dasharray="2 2" fill-opacity="0.15""#
        var words = Self.escaped(point.configuration.name)
        if let ef = point.search.hnswEF { words += ", ef \(ef)" }
        if point.search.exact { words += ", exact" }
        words +=
            ": recall \(Self.label(point.recall)), \(Self.label(point.p50Microseconds / 1000)) ms, "
            + "\(point.memoryBytes / 1_000_000) MB"
        var svg =
            #"<circle cx="\#(number(cx))" cy="\#(number(cy))" r="\#(number(r))" fill="\#(fill)" "#
            + #"stroke="\#(fill)"\#(dash)>"# + "<title>\(words)</title></circle>"
        if place == report.recommended {
            svg +=
                #"<circle cx="\#(number(cx))" cy="\#(number(cy))" r="\#(number(r + 4))" fill="none" "#
                + ##"stroke="#c0392b" stroke-width="2"/>"##
        }
        return svg
    }

    private var legend: [String] {
        let x0 = width - right + 24
        var parts: [String] = []
        func dot(_ row: Double, _ r: Double, _ fill: String, _ words: String, _ more: String = "") {
            parts.append(
                #"<circle cx="\#(number(x0))" cy="\#(number(top + row))" r="\#(number(r))" fill="\#(fill)" "#
                    + #"stroke="\#(fill)" fill-opacity="0.55"\#(more)/>"#)
            parts.append(text(x0 + 20, top + row + 4, words))
        }
        dot(10, 6, "#1f6fb2", "on the Pareto front")
        dot(34, 6, "#b5b5b5", "another is better")
        dot(58, 6, "#b5b5b5", "predicted", #" stroke-dasharray="2 2""#)
        parts.append(
            ##"<circle cx="\##(number(x0))" cy="\##(number(top + 82))" r="8" fill="none" stroke="#c0392b" "##
                + #"stroke-width="2"/>"#)
        parts.append(text(x0 + 20, top + 86, "recommended"))
        parts.append(text(x0 - 8, top + 122, "memory"))
        for (place, share) in [0.25, 0.5, 1].enumerated() {
            let bytes = Int(memoryMax * share)
            dot(144 + 28 * Double(place), radius(bytes), "#777", "\(Self.label(Double(bytes) / 1e6)) MB")
        }
        return parts
    }

    // MARK: Text

    private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: String, dashed: Bool = false)
        -> String
    {
        #"<line x1="\#(number(x1))" y1="\#(number(y1))" x2="\#(number(x2))" y2="\#(number(y2))" stroke="\#(colour)""#
            + (dashed ? #" stroke-dasharray="5 4""# : "") + "/>"
    }

    private func text(_ x: Double, _ y: Double, _ words: String, anchor: String = "start", size: Int = 12) -> String {
        #"<text x="\#(number(x))" y="\#(number(y))" text-anchor="\#(anchor)" font-size="\#(size)">"#
            + Self.escaped(words) + "</text>"
    }

    private func number(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }

    /// A number with three significant digits.
    static func label(_ value: Double) -> String {
        guard value > 0, value.isFinite else { return "\(value)" }
        let scale = pow(10, 3 - ceil(log10(value)))
        let rounded = (value * scale).rounded() / scale
        return rounded >= 100 ? "\(Int(min(rounded, 1e15)))" : "\(rounded)"
    }

    private static func escaped(_ text: String) -> String {
        var out = ""
        for character in text {
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            default: out.append(character)
            }
        }
        return out
    }
}

extension TuningReport {
    /// The points of the Pareto front as lines of text, one for each, fastest first; the recommended one is marked.
    public var table: String {
        let header = ["", "configuration", "search", "recall", "±", "p50 ms", "p95 ms", "memory MB", ""]
        var rows = [header]
        let shown = points.indices.filter { points[$0].isParetoOptimal || $0 == recommended }
        for place in shown.sorted(by: { points[$0].p50Microseconds < points[$1].p50Microseconds }) {
            let point = points[place]
            var search = point.search.exact ? "exact" : point.search.hnswEF.map { "ef \($0)" } ?? ""
            if let rescore = point.search.rescore { search += rescore ? ", rescoring" : ", codes alone" }
            if let oversampling = point.search.oversampling { search += " × \(Int(min(oversampling, 1e6)))" }
            rows.append([
                place == recommended ? ">" : "", point.configuration.name, search,
                TuningPlot.label(point.recall), TuningPlot.label(point.recallError),
                TuningPlot.label(point.p50Microseconds / 1000), TuningPlot.label(point.p95Microseconds / 1000),
                TuningPlot.label(Double(point.memoryBytes) / 1e6), point.source.rawValue,
            ])
        }
        let widths = header.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { $1 + String(repeating: " ", count: widths[$0] - $1.count) }
                .joined(separator: "  ")
        }.joined(separator: "\n")
    }
}
