import Broker
import Catalog
import Secrets
import Testing

/// The clients that tenants bring.
@Suite struct TenantClientTests {
    private let database: TestDatabase

    init() throws { database = try TestDatabase() }

    private func client(
        _ sourceType: String = "example", secret: [UInt8]? = [1, 2, 3], scopes: [String]? = ["read", "write"]
    ) throws -> KeptClient {
        KeptClient(
            sourceType: try #require(SourceType.ID(sourceType)), id: "app", secret: secret.map { Sealed(stored: $0) },
            scopes: scopes, parameters: ["host": "ours.example"], changedAt: Samples.now)
    }

    private func event() throws -> Event { Event(.clientChanged, at: Samples.now, tenant: try Samples.tenant()) }

    @Test(arguments: Engine.allCases)
    func `a client comes back as it was kept, to its own tenant alone`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let tenant = try Samples.tenant()
        #expect(try await store.setClient(client(), of: tenant, recording: event()))
        let kept = try #require(try await store.clients(of: tenant).first)
        #expect(kept.sourceType == SourceType.ID("example"))
        #expect(kept.id == "app")
        #expect(kept.secret?.bytes == [1, 2, 3])
        #expect(kept.scopes == ["read", "write"])
        #expect(kept.parameters == ["host": "ours.example"])
        #expect(kept.changedAt == Samples.now)
        #expect(try await store.clients(of: Samples.tenant("other")).isEmpty)
    }

    @Test(arguments: Engine.allCases)
    func `what a client does not have comes back as nothing`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        _ = try await store.setClient(client(secret: nil, scopes: nil), of: Samples.tenant(), recording: event())
        let kept = try #require(try await store.clients(of: Samples.tenant()).first)
        #expect(kept.secret == nil)
        #expect(kept.scopes == nil)
    }

    @Test(arguments: Engine.allCases)
    func `a client takes the place of the one before, and goes once`(_ engine: Engine) async throws {
        let store = try database.open(engine)
        let (tenant, id) = (try Samples.tenant(), try #require(SourceType.ID("example")))
        #expect(try await store.setClient(client(), of: tenant, recording: event()))
        #expect(try await !store.setClient(client(secret: [4]), of: tenant, recording: event()))
        #expect(try await store.clients(of: tenant).map { $0.secret?.bytes } == [[4]])
        #expect(try await store.deleteClient(id, of: tenant, recording: event()))
        #expect(try await !store.deleteClient(id, of: tenant, recording: event()))
        #expect(try await store.clients(of: tenant).isEmpty)
        // What was not there to be deleted is told nowhere.
        #expect(try await store.events(EventFilter(), before: nil, limit: 10).events.count == 3)
    }

    @Test(arguments: Engine.allCases)
    func `every secret is sealed again once, in batches, and what is not replaced stays`(_ engine: Engine) async throws
    {
        let store = try database.open(engine)
        for number in 0..<5 {
            let secret: [UInt8]? = number == 4 ? nil : [UInt8(number)]
            _ = try await store.setClient(
                client(secret: secret), of: Samples.tenant("t\(number)"), recording: event())
        }
        var position: ClientPosition?
        var moved = 0
        repeat {
            let batch = try await store.resealClients(after: position, limit: 2) { place, sealed in
                place.tenant.description == "t1" ? nil : Sealed(stored: sealed.bytes + [9])
            }
            moved += batch.moved
            position = batch.position
        } while position != nil
        #expect(moved == 3)
        let expected: [[UInt8]?] = [[0, 9], [1], [2, 9], [3, 9], nil]
        for (number, secret) in expected.enumerated() {
            #expect(try await store.clients(of: Samples.tenant("t\(number)")).first?.secret?.bytes == secret)
        }
    }
}
