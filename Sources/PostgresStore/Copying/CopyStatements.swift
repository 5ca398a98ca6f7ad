import StoreParts

extension CopiedKind {
    /// The table that takes it. A spent key stays with those that wait, so that a second presentation is recognised.
    private var table: String {
        switch self {
        case .clients: "clients"
        case .clientRegistrations: "client_registrations"
        case .revocations: "revocations"
        case .flows: "flows"
        case .credentialKeys: "credential_keys WHERE spent_at IS NULL"
        case .spentKeys: "credential_keys WHERE spent_at IS NOT NULL"
        case .auditEvents: "audit_events"
        }
    }

    /// Takes rows as arrays, one of each column. What is there already is none of the copy's, and shows by the count.
    var insert: Statement {
        let types = columns.indices.map { "$\($0 + 1)::\(columns[$0].type)[]" }.joined(separator: ", ")
        return Statement(
            "copy_\(rawValue)",
            """
            INSERT INTO \(table.prefix { $0 != " " }) (\(columns.map(\.name).joined(separator: ", ")))
            SELECT * FROM unnest(\(types)) ON CONFLICT DO NOTHING
            """)
    }

    var count: Statement { Statement("count_\(rawValue)", "SELECT count(*) FROM \(table)") }

    /// Those of `insert`.
    func parameters(_ rows: [[StoredValue]]) -> [Parameter] {
        columns.enumerated().map { index, column in
            let values = rows.map { $0[index] }
            switch column {
            case .bool: return .bools(values.map { $0.number ?? 0 != 0 })
            case .integer: return .ints(values.map(\.number))
            case .text: return .texts(values.map { if case .text(let text) = $0 { text } else { nil } })
            case .bytes: return .byteses(values.map { if case .bytes(let bytes) = $0 { bytes } else { nil } })
            }
        }
    }
}

extension CopiedColumn {
    fileprivate var type: String {
        switch self {
        case .bool: "boolean"
        case .integer: "bigint"
        case .text: "text"
        case .bytes: "bytea"
        }
    }
}

extension StoredValue {
    fileprivate var number: Int64? { if case .integer(let number) = self { number } else { nil } }
}

extension Statement {
    static let keepPlace = Statement("keepPlace", "UPDATE audit_trail SET copying = $1::text, copied_to = $2::bigint")

    static let finishCopy = Statement("finishCopy", "UPDATE audit_trail SET copying = NULL, copied_to = NULL")

    static let copiedChain = Statement(
        "copiedChain", "SELECT \(ChainColumn.list) FROM audit_chains c WHERE c.chain = \(CopyTarget.chain)")
}
