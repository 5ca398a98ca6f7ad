/// The columns of a statement, in the order in which it names them: each name stands once, and rows are read by it.
protocol Columns: CaseIterable, RawRepresentable<Int32> {
    /// The column's name, or an expression.
    var sql: String { get }
}

extension Columns {
    var sql: String { name }

    /// The case's name as SQL writes names: `sourceType` is `source_type`.
    var name: String {
        var name = ""
        for character in "\(self)" {
            if character.isUppercase, name.last?.isLowercase == true { name += "_" }
            name.append(character)
        }
        return name.lowercased()
    }

    /// For a statement, which must name them in this order.
    static var list: String { allCases.map(\.sql).joined(separator: ", ") }
}

extension SQLRow {
    func isNull(_ column: some Columns) -> Bool { isNull(column.rawValue) }
    func integer(_ column: some Columns) -> Int64 { integer(column.rawValue) }
    func text(_ column: some Columns) -> String { text(column.rawValue) }
    func blob(_ column: some Columns) -> [UInt8] { blob(column.rawValue) }
    func integerIfAny(_ column: some Columns) -> Int64? { isNull(column) ? nil : integer(column) }
    func textIfAny(_ column: some Columns) -> String? { isNull(column) ? nil : text(column) }

    func flag(_ column: some Columns) -> Bool { integer(column) != 0 }
    func count(_ column: some Columns) -> Int { Int(integer(column)) }
}
