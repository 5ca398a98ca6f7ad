import Assets
import Formats
import Secrets
import Transport

/// The rules of the sites that one operation comes to, each read once.
final class RobotsCache: Sendable {
    private let client: SourceClient
    private let turns = HostGate(most: 1)
    /// A site that cannot be reached keeps everybody waiting once.
    private let known = Locked<[Origin: Result<RobotsRules, SourceFault>]>([:])

    init(_ client: SourceClient) {
        self.client = client
    }

    /// The rules for an address. Throws where the site cannot be reached: then nothing of it can.
    func rules(for address: WebAddress) async throws(SourceFault) -> RobotsRules {
        if let rules = known.withLock({ $0[address.origin] }) { return try rules.get() }
        return try await turns.pass(to: address.origin.description) { () async throws(SourceFault) in
            // Another document may have read them while this one waited.
            if let rules = known.withLock({ $0[address.origin] }) { return try rules.get() }
            do throws(SourceFault) {
                let rules = try await read(address.origin)
                known.withLock { $0[address.origin] = .success(rules) }
                return rules
            } catch {
                if error != .cancelled { known.withLock { $0[address.origin] = .failure(error) } }
                throw error
            }
        }
    }

    private func read(_ origin: Origin) async throws(SourceFault) -> RobotsRules {
        guard var address = WebAddress(origin.description + "/robots.txt") else { return .unknown }
        // RFC 9309 § 2.3.1.2: five redirects are followed, to other hosts too; after more there is no file.
        for _ in 0...Redirect.most {
            let answer: TransportResponse
            do throws(SourceFault) {
                answer = try await client.send(WebClient.request(for: address))
            } catch .tooLarge {
                // Longer than any document may be: its rules are not known.
                return .unknown
            }
            if let target = Redirect.target(of: answer, from: address) {
                address = target
            } else {
                return Self.rules(in: answer)
            }
        }
        return .open
    }

    /// RFC 9309 § 2.3.1.1, § 2.3.1.3 and § 2.3.1.4
    private static func rules(in answer: TransportResponse) -> RobotsRules {
        switch answer.status {
        case 200..<300: RobotsRules(answer.body)
        case 500...: .unknown
        default: .open
        }
    }
}
