import Foundation
import Testing

@testable import Sandbox

/// A browser and a client in one, who know what the provider `wiki` requirements and do otherwise where a test says so.
struct SimulatorVisitor: Sendable {
    typealias Members = KeyValuePairs<String, String?>

    static let secret = "s3cret :%+ü&="
    static let moment: Int64 = 1_790_000_000

    let simulator: Simulator

    /// - Parameter requirement: members of the requirement besides where it lives, as JSON without braces.
    init(_ requirement: String = "", place: String = "") throws {
        let whole = """
            {"wiki": {
                "places": [{
                    "authorization": "https://wiki.example/authorize", "token": "https://wiki.example/token",
                    "revocation": "https://wiki.example/revoke" \(place)
                }]
                \(requirement.isEmpty ? "" : "," + requirement)
            }}
            """
        try self.init(requirements: ProviderRequirements(json: Data(whole.utf8)))
    }

    init(requirements: ProviderRequirements) throws {
        var clients: [String: Simulator.Client] = [:]
        for entry in requirements.entries.keys {
            clients[entry] = .init(id: "the:\(entry)", secret: Self.secret, redirectURI: callback)
        }
        simulator = Simulator(requirements: requirements.entries, clients: clients) { Self.moment }
    }

    // MARK: consent

    func consent(
        _ changes: Members = [:], at address: String = "https://wiki.example/authorize", place: String? = nil
    ) async -> SimulatedResponse {
        let query = Self.changed(
            ["response_type": "code", "client_id": "the:wiki", "redirect_uri": callback, "state": "st&te="], changes)
        return await simulator.answer(
            SimulatedRequest(
                method: "GET", url: "\(address)?\(query.encoded)",
                headers: place.map { [("Simulator-Place", $0)] } ?? []))
    }

    func code(_ changes: Members = [:], place: String? = nil) async throws -> String {
        let response = await consent(changes, place: place)
        return try #require(response.sentBack["code"])
    }

    // MARK: tokens

    func post(
        _ members: FormFields, to address: String = "https://wiki.example/token", method: String = "POST",
        headers: [(name: String, value: String)] = []
    ) async -> SimulatedResponse {
        await simulator.answer(
            SimulatedRequest(
                method: method, url: address,
                headers: headers + [("Content-Type", "application/x-www-form-urlencoded")],
                body: Array(members.encoded.utf8)))
    }

    func exchange(
        _ code: String, _ changes: Members = [:], to address: String = "https://wiki.example/token",
        headers: [(name: String, value: String)] = []
    ) async -> SimulatedResponse {
        await post(exchangeMembers(code, changes), to: address, headers: headers)
    }

    func exchangeMembers(_ code: String, _ changes: Members = [:]) -> FormFields {
        Self.changed(
            [
                "grant_type": "authorization_code", "code": code, "redirect_uri": callback, "client_id": "the:wiki",
                "client_secret": Self.secret,
            ], changes)
    }

    func refresh(_ token: String, _ changes: Members = [:]) async -> SimulatedResponse {
        await post(
            Self.changed(
                [
                    "grant_type": "refresh_token", "refresh_token": token, "client_id": "the:wiki",
                    "client_secret": Self.secret,
                ], changes))
    }

    /// Tokens of a whole good flow.
    func tokens() async throws -> (access: String, refresh: String?) {
        let answer = try await exchange(code()).json
        return (try #require(answer["/access_token"]?.text), answer["/refresh_token"]?.text)
    }

    func violations() async -> [String] { await simulator.takeViolations() }

    static func changed(_ members: KeyValuePairs<String, String>, _ changes: Members) -> FormFields {
        var fields = FormFields()
        for (name, value) in members where !changes.contains(where: { $0.key == name }) { fields.append(name, value) }
        for (name, value) in changes { if let value { fields.append(name, value) } }
        return fields
    }
}

extension SimulatedResponse {
    var sentBack: FormFields {
        let location = headers.first { $0.name == "Location" }?.value
        return FormFields(decoding: location?.split(separator: "?", maxSplits: 1).last ?? "")
    }

    var json: JSON {
        get throws { try JSONDecoder().decode(JSON.self, from: Data(body.utf8)) }
    }
}
