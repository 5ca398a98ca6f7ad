import CPostgres

/// The answer to one statement, in binary.
final class QueryResult {
    private let result: OpaquePointer

    /// Takes it over.
    init(_ result: OpaquePointer) { self.result = result }

    deinit { PQclear(result) }

    var count: Int { Int(PQntuples(result)) }

    /// What the server says that it did, such as `COMMIT`.
    var tag: String { PQcmdStatus(result).map { String(cString: $0) } ?? "" }

    /// The rows that a statement without rows changed.
    var changes: Int { PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0 }

    var rows: [Row] { (0..<Int32(count)).map { Row(result: self, index: $0) } }

    var first: Row? { count > 0 ? Row(result: self, index: 0) : nil }

    struct Row {
        fileprivate let result: QueryResult
        fileprivate let index: Int32

        func isNull(_ column: some Columns) -> Bool { isNull(column.rawValue) }
        func int(_ column: some Columns) -> Int64 { int(column.rawValue) }
        func bool(_ column: some Columns) -> Bool { int(column.rawValue) != 0 }
        func bytes(_ column: some Columns) -> [UInt8] { bytes(column.rawValue) }
        func text(_ column: some Columns) -> String { text(column.rawValue) }
        func intIfAny(_ column: some Columns) -> Int64? { isNull(column) ? nil : int(column) }
        func textIfAny(_ column: some Columns) -> String? { isNull(column) ? nil : text(column) }
        func bytesIfAny(_ column: some Columns) -> [UInt8]? { isNull(column) ? nil : bytes(column) }

        func isNull(_ column: Int32) -> Bool { PQgetisnull(result.result, index, column) != 0 }

        /// Of two, four or eight bytes, or a boolean; 0 for NULL.
        func int(_ column: Int32) -> Int64 {
            let bytes = raw(column)
            guard let first = bytes.first else { return 0 }
            return bytes.dropFirst().reduce(Int64(Int8(bitPattern: first))) { $0 << 8 | Int64($1) }
        }

        /// Empty for NULL.
        func bytes(_ column: Int32) -> [UInt8] { [UInt8](raw(column)) }

        /// Empty for NULL.
        func text(_ column: Int32) -> String { String(decoding: raw(column), as: UTF8.self) }

        private func raw(_ column: Int32) -> UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(
                start: PQgetvalue(result.result, index, column), count: Int(PQgetlength(result.result, index, column)))
        }
    }
}

/// The columns of a statement, in the order in which it names them.
protocol Columns: CaseIterable, RawRepresentable<Int32> {
    /// The column's name, or an expression.
    var sql: String { get }
}

extension Columns {
    var sql: String { name }

    /// The case's name as SQL writes names: `sourceType` is `source_type`, `returnURL` is `return_url`.
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

    /// The same, of a table that the statement names otherwise.
    static func list(of table: String) -> String { allCases.map { "\(table).\($0.sql)" }.joined(separator: ", ") }
}
