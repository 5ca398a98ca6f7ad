import Broker
import Foundation
import GRDB
import Secrets

/// A flow as a row, and back.
enum FlowRow {
    /// In the order that `flow` reads them.
    static let columns = """
        id, tenant, source_type, parameters, scopes, frontend_origin, return_url, exchange_challenge, master_key, \
        expires_at
        """

    /// `nil` where the row is not one that this program wrote.
    static func flow(_ row: Row) -> Flow? {
        guard let id = FlowID(bytes: [UInt8](row[0] as Data)), let tenant = TenantID(row[1] as String),
            let sourceType = SourceType.ID(row[2] as String), let parameters = decode(row[3]),
            let origin = Origin(row[5] as String), let key = KeyRing.KeyID(row[8] as String)
        else { return nil }
        let scopes: String = row[4]
        let returnURL: String? = row[6]
        let challenge: String? = row[7]
        return Flow(
            id: id, tenant: tenant, sourceType: sourceType, parameters: parameters,
            scopes: scopes.split(separator: " ").map(String.init), frontendOrigin: origin,
            returnURL: returnURL.flatMap { StrictURL($0) },
            exchangeChallenge: challenge.flatMap { ProofKeyChallenge($0) }, key: key,
            expiresAt: Timestamp(milliseconds: row[9]))
    }

    static func outcome(_ row: Row) -> FlowOutcome? {
        guard let flow = flow(row), let status = Flow.Status(rawValue: row[10]) else { return nil }
        let key: Data? = row[12]
        let keyExpiry: Int64? = row[13]
        return FlowOutcome(
            flow: flow, status: status, isBound: row[11], key: key.map { Sealed(stored: [UInt8]($0)) },
            expiresAt: keyExpiry.map { Timestamp(milliseconds: $0) } ?? flow.expiresAt,
            error: row[14], errorDescription: row[15])
    }

    static func encode(_ parameters: [String: String]) -> String {
        if parameters.isEmpty { return "{}" }
        guard let data = try? JSONEncoder().encode(parameters) else { return "{}" }
        return String(decoding: data, as: UTF8.self)
    }

    private static func decode(_ text: String) -> [String: String]? {
        if text == "{}" { return [:] }
        return try? JSONDecoder().decode([String: String].self, from: Data(text.utf8))
    }
}
