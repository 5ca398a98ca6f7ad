import Foundation
import Secrets
import Testing
import Transport

@testable import Broker

/// Metadata and keys of before serve while a provider does not answer: nobody gets an error, and the log has the
/// reason.
@Suite struct StaleMetadataTests {
    private static let url = "https://server.example.com/jwks.json"

    @Test func `that old keys serve is told with the reason, once for each attempt`() async throws {
        let (server, clock, told) = (ScriptedServer(), SetClock(), ToldIncidents())
        let directory = ProviderDirectory(
            transport: server, allowInsecure: false, now: { clock.steadyNow }, tell: { told.keep($0) })
        await server.answer(Self.url, .body(#"{"keys":[]}"#))
        _ = try await directory.keys(at: Self.url)
        for (answer, reason) in [
            (ScriptedServer.Answer.failure(.nameNotResolved), "its name does not resolve (DNS)"),
            (.status(503), "answered 503"), (.body("<html>"), "the answer is no key set (RFC 7517)"),
        ] {
            clock.advance(seconds: 301)
            await server.answer(Self.url, answer)
            for _ in 0..<3 { _ = try await directory.keys(at: Self.url) }
            #expect(told.all.last?.kind == .staleMetadata)
            #expect(told.all.last?.reason == "the provider's keys: \(trusted: reason) (\(quoted: Self.url))")
        }
        #expect(told.all.count == 3)
        // Where nothing serves, whoever asked is told.
        clock.advance(seconds: 3700)
        await #expect(throws: ProviderDirectoryError.keySetMalformed) { try await directory.keys(at: Self.url) }
        #expect(told.all.count == 3)
    }
}

/// `@unchecked Sendable`: the lock guards the one variable.
final class ToldIncidents: @unchecked Sendable {
    private let lock = NSLock()
    private var kept: [Incident] = []

    var all: [Incident] { lock.withLock { kept } }

    func keep(_ incident: Incident) { lock.withLock { kept.append(incident) } }
}
