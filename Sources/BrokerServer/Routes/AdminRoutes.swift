import Broker
import Catalog
import Formats
import HTTPService
import HTTPTypes
import Hummingbird
import Secrets

/// The routes that operators call: waiting credential keys, revocations, the audit trail, and tenants' own clients.
struct AdminRoutes: Sendable {
    let broker: Broker
    let verifier: BearerTokenVerifier

    var routes: [Route] {
        [
            Route(template: "/v1/admin/credentialKeys", handlers: [.get: credentialKeys]),
            Route(template: "/v1/admin/revocations", handlers: [.post: revoke]),
            Route(template: "/v1/admin/auditEvents", handlers: [.get: auditEvents]),
            Route(
                template: "/v1/admin/tenants/{tenant}/clients/{sourceType}",
                handlers: [.get: client, .put: setClient, .delete: deleteClient]),
        ]
    }

    // MARK: credentialKeys

    @Sendable private func credentialKeys(_ request: Request, _ context: Context) async throws -> Response {
        _ = try await verifier.administrator(request, context)
        let page = try PageRequest(request.query)
        var selection = Selection()
        selection.tenant = try page.tenant
        selection.sourceType = try page["sourceType"].map(Self.sourceType)
        var position: CredentialKeyPosition?
        if let token = try page["pageToken"] {
            guard let found = CredentialKeyPosition(token) else { throw Problem.badPageToken }
            position = found
        }
        let found = try await page.fetch { limit throws(StoreError) in
            try await broker.credentialKeys(selection, after: position, limit: limit)
        }
        let credentialKeys = found.credentialKeys
        return page.response(
            credentialKeys.map { key in
                let flow = JSONValue.string(key.placement.flow.description)
                return [
                    "id": flow, "tenant": .string(key.placement.tenant.description),
                    "sourceType": .string(key.placement.sourceType.description), "flow": flow,
                    "createdAt": .integer(key.createdAt.milliseconds),
                    "expiresAt": .integer(key.expiresAt.milliseconds),
                ]
            }, next: { credentialKeys[$0 - 1].position.text }, further: found.next?.text)
    }

    // MARK: revocations

    private struct RevocationBody: Decodable {
        let tenant: String?
        let sourceType: String?
        let id: String?
        let all: Bool?
        let reason: String
        let revokeAtProvider: Bool?
    }

    @Sendable private func revoke(_ request: Request, _ context: Context) async throws -> Response {
        let requester = try await verifier.administrator(request, context)
        let body = try await request.json(RevocationBody.self)
        guard (1...500).contains(body.reason.unicodeScalars.count) else {
            throw Problem.invalidRequest("the member \"reason\" must say why, in 1 to 500 characters")
        }
        let isSelective = body.tenant != nil || body.sourceType != nil || body.id != nil
        // "Everything" must be meant: never what is left over when a selector was forgotten.
        guard isSelective != (body.all == true) else {
            throw Problem.invalidRequest(
                "select what to revoke by \"tenant\", \"sourceType\" or \"id\", or everything by \"all\": true, not both"
            )
        }
        var selection = Selection()
        selection.tenant = try body.tenant.map(Self.tenant)
        selection.sourceType = try body.sourceType.map(Self.sourceType)
        if let id = body.id {
            guard let flow = FlowID(id) else {
                throw Problem.invalidRequest("the member \"id\" must be an id of credentialKeys")
            }
            selection.flow = flow
        }
        let result: AdminRevocation.Result
        do {
            result = try await broker.revoke(
                AdminRevocation(
                    selection: selection, reason: body.reason, atProvider: body.revokeAtProvider ?? true,
                    requester: requester))
        } catch {
            throw Problem.unavailable(error)
        }
        return .json(
            JSONValue.object([
                "credentialKeysRevoked": .integer(Int64(result.keys)),
                "revokedAtProvider": .integer(Int64(result.atProvider)),
                "withoutRevocation": .integer(Int64(result.withoutRevocation)),
                "providerFailures": .array(
                    result.failures.map {
                        .object([
                            "id": .string($0.placement.flow.description),
                            "sourceType": .string($0.placement.sourceType.description), "code": .string($0.code),
                        ])
                    }),
            ]))
    }

    // MARK: auditEvents

    @Sendable private func auditEvents(_ request: Request, _ context: Context) async throws -> Response {
        _ = try await verifier.administrator(request, context)
        let page = try PageRequest(request.query)
        var filter = EventFilter()
        filter.tenant = try page.tenant
        if let type = try page["type"] {
            guard let kind = Event.Kind(rawValue: type) else {
                let known = Event.Kind.allCases.map(\.rawValue).joined(separator: ", ")
                throw Problem.invalidRequest("the parameter \"type\" must be one of \(known)")
            }
            filter.kind = kind
        }
        if let since = try page["since"] {
            guard let time = WholeNumber.read(since) else {
                throw Problem.invalidRequest("the parameter \"since\" must be a time in Unix milliseconds")
            }
            filter.since = Timestamp(milliseconds: time)
        }
        var sequence: Int64?
        if let token = try page["pageToken"] {
            guard let found = WholeNumber.read(token), found > 0 else { throw Problem.badPageToken }
            sequence = found
        }
        let (wanted, before) = (filter, sequence)
        let found = try await page.fetch { limit throws(StoreError) in
            try await broker.events(wanted, before: before, limit: limit)
        }
        let events = found.events
        return page.response(
            events.map(Self.members), next: { String(events[$0 - 1].sequence) },
            further: found.next.map { String($0) })
    }

    private static func members(_ recorded: RecordedEvent) -> [String: JSONValue] {
        let event = recorded.event
        let text = { (text: String?) in text.map(JSONValue.string) ?? .null }
        return [
            "id": .string(String(recorded.sequence)), "time": .integer(event.time.milliseconds),
            "type": .string(event.kind.rawValue), "tenant": text(event.tenant?.description),
            "sourceType": text(event.sourceType?.description), "flow": text(event.flow?.description),
            "actor": text(event.requester.subject), "tokenId": text(event.requester.tokenID),
            "remoteAddress": text(event.requester.remoteAddress), "code": text(event.code),
            "requestId": text(event.requester.requestID), "detail": text(event.detail),
        ]
    }

    // MARK: a tenant's own client

    private struct ClientBody: Decodable {
        let clientId: String
        let clientSecret: SecretMember<Use.ClientSecret>?
        let scopes: [String]?
        let parameters: [String: String]?
    }

    @Sendable private func client(_ request: Request, _ context: Context) async throws -> Response {
        _ = try await verifier.administrator(request, context)
        let tenant = try context.parameters.tenant
        let found: KeptClient?
        do {
            found = try await broker.keptClient(String(context.parameters.sourceType), of: tenant)
        } catch {
            throw error.problem
        }
        guard let found else {
            var problem = Self.noClient
            problem.redirectURI = SourceType.ID(context.parameters.sourceType).map {
                broker.redirectURI(ofClientFor: $0, of: tenant)
            }
            throw problem
        }
        return .json(members(found, of: tenant))
    }

    @Sendable private func setClient(_ request: Request, _ context: Context) async throws -> Response {
        let requester = try await verifier.administrator(request, context)
        let tenant = try context.parameters.tenant
        let body = try await request.json(ClientBody.self)
        do {
            let (kept, isNew) = try await broker.setClient(
                ClientSetting(
                    tenant: tenant, sourceType: String(context.parameters.sourceType), clientID: body.clientId,
                    clientSecret: body.clientSecret?.secret, scopes: body.scopes,
                    parameters: body.parameters ?? [:], requester: requester))
            var response = Response.json(members(kept, of: tenant))
            // RFC 9110 § 9.3.4.
            if isNew { response.status = .created }
            return response
        } catch {
            throw error.problem
        }
    }

    @Sendable private func deleteClient(_ request: Request, _ context: Context) async throws -> Response {
        let requester = try await verifier.administrator(request, context)
        let tenant = try context.parameters.tenant
        let wasThere: Bool
        do {
            wasThere = try await broker.deleteClient(String(context.parameters.sourceType), of: tenant, by: requester)
        } catch {
            throw error.problem
        }
        guard wasThere else { throw Self.noClient }
        return Response(status: .noContent, headers: [.cacheControl: "no-store"])
    }

    private static let noClient = Problem(
        status: .notFound, code: "not_found",
        detail: "this tenant has no client of its own for this source type")

    /// Never the secret; only whether there is one.
    private func members(_ client: KeptClient, of tenant: TenantID) -> JSONValue {
        .object([
            "tenant": .string(tenant.description), "sourceType": .string(client.sourceType.description),
            "clientId": .string(client.id), "hasClientSecret": .bool(client.secret != nil),
            "scopes": client.scopes.map { .array($0.map(JSONValue.string)) } ?? .null,
            "parameters": .object(client.parameters.mapValues(JSONValue.string)),
            "redirectUri": .string(broker.redirectURI(ofClientFor: client.sourceType, of: tenant)),
            "updatedAt": .integer(client.changedAt.milliseconds),
        ])
    }

    // MARK: members

    private static func tenant(_ text: String) throws -> TenantID { try PathParameters.tenant(text) }

    private static func sourceType(_ text: String) throws -> SourceType.ID {
        guard let id = SourceType.ID(text) else {
            throw Problem.invalidRequest("\"sourceType\" must match \(SourceType.ID.pattern)")
        }
        return id
    }
}
