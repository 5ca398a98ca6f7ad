import Broker
import Catalog
import Formats
import Foundation
import Secrets

/// A flow as a row, and back.
enum FlowRow {
    /// In the order that `flow` reads them.
    static let columns = """
        id, tenant, source_type, parameters, scopes, frontend_origin, return_url, exchange_challenge, master_key, \
        expires_at, created_at, redirect, client_id
        """

    /// `nil` where the row is not one that this program wrote.
    static func flow(_ row: SQLRow) -> Flow? {
        guard let id = FlowID(bytes: row.blob(0)), let tenant = TenantID(row.text(1)),
            let sourceType = SourceType.ID(row.text(2)), let parameters = decode(row.text(3)),
            let origin = Origin(row.text(5)), let key = KeyRing.KeyID(row.text(8))
        else { return nil }
        let returnURL = row.textIfAny(6).flatMap { ReturnURL($0) }
        // Without its return address a flow would end at a page of ours.
        guard row.isNull(6) || returnURL != nil else { return nil }
        return Flow(
            id: id, tenant: tenant, sourceType: sourceType, parameters: parameters,
            scopes: row.text(4).split(separator: " ").map(String.init), frontendOrigin: origin,
            returnURL: returnURL, exchangeChallenge: row.textIfAny(7).flatMap { ProofKeyChallenge($0) },
            redirect: RedirectPath(received: row.text(11)), clientID: row.text(12), key: key,
            startedAt: Timestamp(milliseconds: row.integer(10)), expiresAt: Timestamp(milliseconds: row.integer(9)))
    }

    static func outcome(_ row: SQLRow) -> FlowOutcome? {
        guard let flow = flow(row), let status = Flow.Status(rawValue: Int(row.integer(13))) else { return nil }
        // What was redeemed before is gone; a ticket that is still there is not given out any more.
        let isRevoked = (status.isOpen || status == .succeeded) && row.integer(19) != 0
        return FlowOutcome(
            flow: flow, status: isRevoked ? .failed : status, isBound: row.integer(14) != 0,
            key: isRevoked ? nil : row.blobIfAny(15).map { Sealed(stored: $0) },
            expiresAt: row.isNull(16) ? flow.expiresAt : Timestamp(milliseconds: row.integer(16)),
            error: isRevoked ? Self.revoked : row.textIfAny(17), errorDescription: row.textIfAny(18))
    }

    /// How a flow ends that an operator takes back.
    static let revoked = "invalid_state"

    static func encode(_ parameters: [String: String]) -> String {
        if parameters.isEmpty { return "{}" }
        let json = JSONValue.object(parameters.mapValues { .string($0) })
        return (try? json.encoded()).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    static func decode(_ text: String) -> [String: String]? {
        if text == "{}" { return [:] }
        return try? JSONValue(json: Array(text.utf8))?.decoded(as: [String: String].self)
    }
}
