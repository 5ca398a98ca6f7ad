import Foundation
import GRDB
import Secrets

/// The columns of a statement, in the order in which it names them: each name stands once, and rows are read by it.
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
}

extension SQLRow {
    func isNull(_ column: some Columns) -> Bool { isNull(column.rawValue) }
    func integer(_ column: some Columns) -> Int64 { integer(column.rawValue) }
    func text(_ column: some Columns) -> String { text(column.rawValue) }
    func blob(_ column: some Columns) -> [UInt8] { blob(column.rawValue) }
    func textIfAny(_ column: some Columns) -> String? { textIfAny(column.rawValue) }
    func blobIfAny(_ column: some Columns) -> [UInt8]? { blobIfAny(column.rawValue) }
}

extension Row {
    /// The column's value; `nil` where it is NULL, or nothing that reads as a `Value`: whoever writes to the file can
    /// put anything there, and GRDB's own subscripts would end the process.
    subscript<Value: DatabaseValueConvertible>(_ column: some Columns) -> Value? {
        Value.fromDatabaseValue(self[Int(column.rawValue)])
    }

    /// The column's value, of any type.
    subscript(_ column: some Columns) -> DatabaseValue { self[Int(column.rawValue)] }

    /// A sealed value; `nil` for NULL alone. Anything else that is there is told as a value that does not open.
    func sealed<Content>(_ column: some Columns) -> Sealed<Content>? {
        let value: DatabaseValue = self[column]
        return value.isNull ? nil : Sealed(stored: Data.fromDatabaseValue(value).map { Array($0) } ?? [])
    }
}

/// A row that this program cannot have written.
struct MalformedRow: Error {}
