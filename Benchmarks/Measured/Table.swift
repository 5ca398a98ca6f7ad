import Foundation

/// Figures for people, in columns.
enum Table {
    static func lines(_ figures: [Figure]) -> [String] {
        let head = ["benchmark", "figure", "baseline", "ratio", "target", ""]
        let rows = figures.map { figure in
            [
                figure.benchmark, "\(text(figure.value)) \(figure.unit)", figure.baseline.map(text) ?? "-",
                figure.ratio.map { String(format: "%.2f", $0) } ?? "-", figure.target, figure.verdict.rawValue,
            ]
        }
        let widths = head.indices.map { column in ([head] + rows).map { $0[column].count }.max() ?? 0 }
        return ([head, widths.map { String(repeating: "-", count: $0) }] + rows).map { row in
            row.indices.map { column in
                let space = String(repeating: " ", count: widths[column] - row[column].count)
                return (1...3).contains(column) ? space + row[column] : row[column] + space
            }.joined(separator: "  ")
        }
    }

    /// Three figures, or all before the point.
    static func text(_ value: Double) -> String {
        switch abs(value) {
        case 100...: String(format: "%.0f", value)
        case 10...: String(format: "%.1f", value)
        case _ where value == value.rounded(): String(format: "%.0f", value)
        default: String(format: "%.2f", value)
        }
    }
}
