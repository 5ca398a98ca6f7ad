import Broker
import Formats
import Secrets
import Testing

/// The clients that the broker registered by itself.
@Suite struct ClientRegistrationTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    private func registration(
        _ issuer: String = "https://as.example", at redirectURI: String = "https://b.example/1", _ sealed: UInt8 = 1,
        usedAt: Timestamp = Samples.now
    ) -> KeptRegistration {
        KeptRegistration(issuer: issuer, redirectURI: redirectURI, sealed: Sealed(stored: [sealed]), usedAt: usedAt)
    }

    @Test(arguments: Engine.allCases)
    func `a registration comes back to its own server and address alone`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let kept = registration()
        #expect(try await store.keepRegistration(kept, replacing: nil) == kept)
        #expect(try await store.registration(issuer: kept.issuer, redirectURI: kept.redirectURI) == kept)
        #expect(try await store.registration(issuer: kept.issuer + "/", redirectURI: kept.redirectURI) == nil)
        #expect(try await store.registration(issuer: kept.issuer, redirectURI: "https://b.example/2") == nil)
        await store.close()
    }

    @Test(arguments: Engine.allCases)
    func `it outlives the store`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        _ = try await store.keepRegistration(registration(), replacing: nil)
        await store.close()
        let again = try database.open(engine)
        #expect(
            try await again.registration(issuer: "https://as.example", redirectURI: "https://b.example/1")
                == registration())
        await again.close()
    }

    @Test(arguments: Engine.allCases)
    func `of several brokers the first wins, and all learn which`(_ engine: Engine) async throws {
        let stores = try (0..<3).map { _ in try database.open(engine) }
        let kept = try await withThrowingTaskGroup(of: KeptRegistration.self) { group in
            for (number, store) in stores.enumerated() {
                group.addTask { try await store.keepRegistration(registration(UInt8(number)), replacing: nil) }
            }
            var all: [KeptRegistration] = []
            for try await one in group { all.append(one) }
            return all
        }
        #expect(Set(kept.map(\.sealed.bytes)).count == 1)
        for store in stores { await store.close() }
    }

    private func registration(_ sealed: UInt8) -> KeptRegistration {
        registration("https://as.example", at: "https://b.example/1", sealed)
    }

    @Test(arguments: Engine.allCases)
    func `one takes the place of the one that it knows, and of no other`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        _ = try await store.keepRegistration(registration(1), replacing: nil)
        #expect(
            try await store.keepRegistration(registration(2), replacing: registration(1).sealed) == registration(2))
        #expect(
            try await store.keepRegistration(registration(3), replacing: registration(1).sealed) == registration(2))
        #expect(try await store.keepRegistration(registration(3), replacing: nil) == registration(2))
        await store.close()
    }

    @Test(arguments: Engine.allCases)
    func `a use is noted, unless another one has taken its place`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        _ = try await store.keepRegistration(registration(1), replacing: nil)
        let later = Samples.now.adding(seconds: 1)
        try await store.noteUse(of: registration(2), at: later)
        #expect(
            try await store.registration(issuer: "https://as.example", redirectURI: "https://b.example/1")
                == registration(1))
        try await store.noteUse(of: registration(1), at: later)
        #expect(
            try await store.registration(issuer: "https://as.example", redirectURI: "https://b.example/1")
                == registration(usedAt: later))
        await store.close()
    }

    @Test(arguments: Engine.allCases)
    func `those that were used at a moment or before are forgotten`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        for age in -1...1 as ClosedRange<Int64> {
            _ = try await store.keepRegistration(
                registration("https://as\(age).example", usedAt: Samples.now.adding(seconds: age)), replacing: nil)
        }
        try await store.forgetRegistrations(unusedSince: Samples.now)
        for age in -1...1 {
            let kept = try await store.registration(
                issuer: "https://as\(age).example", redirectURI: "https://b.example/1")
            #expect((kept != nil) == (age > 0))
        }
        await store.close()
    }

    @Test(arguments: Engine.allCases)
    func `all are sealed again, and what is not replaced stays`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        for number in 0..<5 {
            _ = try await store.keepRegistration(
                registration("https://as\(number).example", at: "https://b.example/1", UInt8(number)), replacing: nil)
        }
        let moved = try await store.resealRegistrations { kept in
            kept.issuer == "https://as1.example" ? nil : Sealed(stored: kept.sealed.bytes + [9])
        }
        #expect(moved == 4)
        for number in 0..<5 {
            let kept = try await store.registration(
                issuer: "https://as\(number).example", redirectURI: "https://b.example/1")
            #expect(kept?.sealed.bytes == (number == 1 ? [1] : [UInt8(number), 9]))
        }
        await store.close()
    }
}
