import AssetStore
import Assets
import Formats
import Foundation
import Secrets
import Testing

@Suite struct IdempotencyTests {
    private let folder: TemporaryFolder
    private let store: SQLiteAssetStore
    private let key = IdempotencyKey(tenant: .acme, text: "k-1")
    private let digest = Digest(of: "body")
    private static let day: Int64 = 86_400

    init() throws {
        folder = try TemporaryFolder()
        store = try SQLiteAssetStore(path: folder.database)
    }

    private func claim(_ key: IdempotencyKey? = nil, _ body: String = "body", at second: Int64 = 0) async throws
        -> IdempotencyAdmission
    {
        try await store.claim(key ?? self.key, requestDigest: Digest(of: body), at: .at(second))
    }

    @Test func `a key is claimed by one request`() async throws {
        #expect(try await claim() == .claimed)
        #expect(try await claim() == .underWay)
        #expect(try await claim(at: Self.day - 1) == .underWay)
    }

    @Test func `of many that come at once one is let through`() async throws {
        let (store, key, digest) = (store, key, digest)
        let admissions = await withTaskGroup(of: IdempotencyAdmission?.self) { group in
            for _ in 0..<50 { group.addTask { try? await store.claim(key, requestDigest: digest, at: .at(0)) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(admissions.count { $0 == .claimed } == 1)
        #expect(admissions.count { $0 == .underWay } == 49)
    }

    @Test func `the same request again is told what came of it`() async throws {
        _ = try await claim()
        let asset = try await store.make(idempotency: key)
        let operation = try await store.operation(of: asset)
        #expect(try await claim(at: Self.day - 1) == .done(asset.id, operation.id))
    }

    @Test func `a refresh ends the claim of its key too`() async throws {
        let asset = try await store.makeRead("a")
        _ = try await claim()
        let refresh = NewRefresh(
            operation: OperationID(UUID()), asset: asset.id, tenant: .acme, documents: nil, isForced: false,
            createdBy: nil, now: .at(9))
        _ = try await store.refresh(refresh, idempotency: key)
        #expect(try await claim() == .done(asset.id, refresh.operation))
    }

    @Test func `a refresh that is not begun leaves the claim as it is`() async throws {
        let asset = try await store.make()
        _ = try await claim()
        let refresh = NewRefresh(
            operation: OperationID(UUID()), asset: asset.id, tenant: .acme, documents: nil, isForced: false,
            createdBy: nil, now: .at(9))
        _ = try await store.refresh(refresh, idempotency: key)
        #expect(try await claim() == .underWay)
    }

    @Test func `another request with the same key is refused, under way or done`() async throws {
        _ = try await claim()
        #expect(try await claim(nil, "another") == .reused)
        try await store.make(idempotency: key)
        #expect(try await claim(nil, "another") == .reused)
    }

    @Test func `a key is its tenant's, and told apart by each letter`() async throws {
        _ = try await claim()
        #expect(try await claim(IdempotencyKey(tenant: .globex, text: "k-1")) == .claimed)
        #expect(try await claim(IdempotencyKey(tenant: .acme, text: "K-1")) == .claimed)
    }

    @Test func `after 24 hours a key is as new`() async throws {
        _ = try await claim()
        try await store.make(idempotency: key)
        #expect(try await claim(nil, "another", at: Self.day) == .claimed)
    }

    @Test func `keys of 24 hours ago are forgotten`() async throws {
        for number in 0..<250 { _ = try await claim(IdempotencyKey(tenant: .acme, text: "\(number)")) }
        for number in 0..<3 { _ = try await claim(IdempotencyKey(tenant: .acme, text: "n\(number)"), at: Self.day) }
        #expect(try folder.number("SELECT count(*) FROM idempotency_keys") == 3)
    }

    @Test func `a claim that is given back can be made again`() async throws {
        _ = try await claim()
        try await store.abandon(key)
        #expect(try await claim(nil, "another") == .claimed)
    }

    @Test func `what is done is not given back`() async throws {
        _ = try await claim()
        let asset = try await store.make(idempotency: key)
        try await store.abandon(key)
        #expect(try await claim() == .done(asset.id, try await store.operation(of: asset).id))
    }

    @Test func `claims that the end of the process cut short are forgotten, and no others`() async throws {
        let other = IdempotencyKey(tenant: .acme, text: "k-2")
        _ = try await claim()
        _ = try await claim(other)
        let asset = try await store.make(idempotency: other)
        try await store.recover(at: .at(1))
        #expect(try await claim(nil, "another") == .claimed)
        #expect(try await claim(other) == .done(asset.id, try await store.operation(of: asset).id))
    }
}
