import Broker
import Catalog
import Formats
import Foundation
import Secrets
import StoreParts

/// A flow as a row, and back.
enum FlowRow {
    /// Those of a flow, then those of its outcome.
    enum Column: Int32, Columns {
        case id, tenant, sourceType, parameters, scopes, frontendOrigin, returnURL, exchangeChallenge, masterKey
        case expiresAt, createdAt, redirect, clientID
        case status, isBound, delivery, sealedKey, keyExpiresAt, error, errorDescription, isRevoked

        var sql: String { self == .isRevoked ? FlowRow.isRevoked : name }

        /// Those of a flow alone.
        static let ofFlow = allCases.prefix { $0 != .status }.map(\.name).joined(separator: ", ")
    }

    /// The numbers that stand for each status in the table.
    enum Status {
        static let started = Flow.Status.started.rawValue
        static let exchanging = Flow.Status.exchanging.rawValue
        static let succeeded = Flow.Status.succeeded.rawValue
        static let failed = Flow.Status.failed.rawValue
        static let redeemed = Flow.Status.redeemed.rawValue

        /// A condition: the flow has not ended. Word by word that of the index `flows_outstanding`.
        static let isOpen = "status < \(succeeded)"
        /// A condition: the flow has neither failed nor was its key redeemed.
        static let isLive = "status < \(failed)"
    }

    /// The numbers that stand for what is known of a flow's delivery.
    enum Delivery {
        static let told = Flow.Delivery.told.rawValue
        static let lost = Flow.Delivery.lost.rawValue
    }

    /// A condition: an operator took the flow back, by a revocation after the last one that was there when it began.
    /// That is the store's own order, in which no clock has a say.
    static let isRevoked = """
        EXISTS (SELECT 1 FROM revocations WHERE id > flows.line
            AND (revocations.tenant IS NULL OR revocations.tenant = flows.tenant)
            AND (revocations.source_type IS NULL OR revocations.source_type = flows.source_type)
            AND (revocations.flow IS NULL OR revocations.flow = flows.id))
        """

    /// The error of a flow that an operator took back.
    static let revoked = "invalid_state"
    /// The error of a flow whose callback did not come, or did not end it, in time.
    static let expired = "expired"

    /// Reads `Column.ofFlow`. `nil` where the row is not one that this program wrote.
    static func flow(_ row: SQLRow) -> Flow? {
        guard let id = FlowID(bytes: row.blob(Column.id)), let tenant = TenantID(row.text(Column.tenant)),
            let sourceType = SourceType.ID(row.text(Column.sourceType)),
            let parameters = FlowParameters.decode(row.text(Column.parameters)),
            let origin = Origin(kept: row.text(Column.frontendOrigin)),
            let key = KeyRing.KeyID(row.text(Column.masterKey))
        else { return nil }
        let returnURL = row.textIfAny(Column.returnURL).flatMap { ReturnURL($0) }
        // Without its return address a flow would end at the broker's own page.
        guard row.isNull(Column.returnURL) || returnURL != nil else { return nil }
        return Flow(
            id: id, tenant: tenant, sourceType: sourceType, parameters: parameters,
            scopes: row.text(Column.scopes).split(separator: " ").map(String.init), frontendOrigin: origin,
            returnURL: returnURL,
            exchangeChallenge: row.textIfAny(Column.exchangeChallenge).flatMap { CodeChallenge($0) },
            redirect: RedirectPath(received: row.text(Column.redirect)), clientID: row.text(Column.clientID), key: key,
            startedAt: Timestamp(milliseconds: row.integer(Column.createdAt)),
            expiresAt: Timestamp(milliseconds: row.integer(Column.expiresAt)))
    }

    /// Reads `Column.list`.
    static func outcome(_ row: SQLRow) -> FlowOutcome? {
        guard let flow = flow(row), let status = Flow.Status(rawValue: Int(row.integer(Column.status))) else {
            return nil
        }
        // What was redeemed before is gone; a credential key that is still there is not given out any more.
        let isRevoked = (status.isOpen || status == .succeeded) && row.integer(Column.isRevoked) != 0
        return FlowOutcome(
            flow: flow, status: isRevoked ? .failed : status, isBound: row.integer(Column.isBound) != 0,
            delivery: Flow.Delivery(rawValue: Int(row.integer(Column.delivery))) ?? .unknown,
            key: isRevoked ? nil : row.blobIfAny(Column.sealedKey).map { Sealed(stored: $0) },
            expiresAt: row.isNull(Column.keyExpiresAt)
                ? flow.expiresAt : Timestamp(milliseconds: row.integer(Column.keyExpiresAt)),
            error: isRevoked ? revoked : row.textIfAny(Column.error),
            errorDescription: row.textIfAny(Column.errorDescription))
    }
}
