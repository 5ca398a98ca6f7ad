import Assets
import Formats
import Foundation
import GRDB

/// An asset as a row, and back.
struct AssetRow {
    /// The order of making, by which other tables name it.
    let line: Int64
    let asset: Asset

    enum Column: Int32, Columns {
        case line, id, tenant, displayName, sourceType, parameters, provider, model, chunkSize, chunkOverlap, llmConfig
        case status, isVectorized, documentCount, chunkCount, tokenCount, createdAt, modifiedAt, createdBy
        case hasCredentials

        var sql: String { self == .hasCredentials ? "credentials IS NOT NULL" : name }
    }

    private static let byID = "SELECT \(Column.list) FROM assets WHERE id = ? AND tenant = ?"
    private static let byLine = "SELECT \(Column.list) FROM assets WHERE line = ?"

    static func find(_ id: AssetID, of tenant: TenantID, in db: Database) throws -> AssetRow? {
        try db.first(byID, .blob(id.bytes), .text(tenant.description), read: AssetRow.init)
    }

    static func find(line: Int64, in db: Database) throws -> AssetRow? {
        try db.first(byLine, .integer(line), read: AssetRow.init)
    }

    /// The line of an asset; `nil` where there is none.
    static func line(of id: AssetID, _ tenant: TenantID, in db: Database) throws -> Int64? {
        try db.first(
            "SELECT line FROM assets WHERE id = ? AND tenant = ?", .blob(id.bytes), .text(tenant.description)
        ) { $0.integer(0) }
    }

    /// Reads `Column.list`.
    init(_ row: SQLRow) throws {
        guard let id = AssetID(bytes: row.blob(Column.id)), let tenant = TenantID(row.text(Column.tenant)),
            let parameters = Self.decode(row.text(Column.parameters)),
            let status = Asset.EmbeddingStatus(rawValue: row.text(Column.status))
        else { throw MalformedRow() }
        line = row.integer(Column.line)
        asset = Asset(
            id: id, tenant: tenant, displayName: row.text(Column.displayName),
            source: Asset.Source(
                type: row.text(Column.sourceType), parameters: parameters,
                hasCredentials: row.flag(Column.hasCredentials)),
            embedding: EmbeddingSettings(
                model: EmbeddingModel.Name(row, Column.provider, Column.model), chunkSize: row.count(Column.chunkSize),
                chunkOverlap: row.count(Column.chunkOverlap)),
            embeddingLlmConfigID: row.textIfAny(Column.llmConfig), status: status,
            isVectorized: row.flag(Column.isVectorized), documentCount: row.count(Column.documentCount),
            chunkCount: row.count(Column.chunkCount), tokenCount: row.count(Column.tokenCount),
            createdAt: row.timestamp(Column.createdAt), modifiedAt: row.timestamp(Column.modifiedAt),
            createdBy: row.textIfAny(Column.createdBy))
    }

    static func encode(_ parameters: [String: ParameterValue]) throws -> String {
        let members = parameters.mapValues { value -> JSONValue in
            switch value {
            case .string(let text): .string(text)
            case .boolean(let flag): .bool(flag)
            case .integer(let number): .integer(Int64(number))
            }
        }
        return String(decoding: try JSONValue.object(members).encoded(), as: UTF8.self)
    }

    private static func decode(_ text: String) -> [String: ParameterValue]? {
        guard case .object(let members)? = try? JSONValue(json: Array(text.utf8), by: .strict) else { return nil }
        var parameters: [String: ParameterValue] = [:]
        for (name, value) in members {
            switch value {
            case .string(let text): parameters[name] = .string(text)
            case .bool(let flag): parameters[name] = .boolean(flag)
            case .integer(let number): parameters[name] = .integer(Int(number))
            case .number(let number):
                guard let whole = Int(exactly: number) else { return nil }
                parameters[name] = .integer(whole)
            case .null, .digits, .array, .object: return nil
            }
        }
        return parameters
    }
}
