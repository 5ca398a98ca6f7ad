import Assets
import Secrets
import TestSupport
import Testing

/// The operations that run at once.
@Suite struct FairnessTests {
    @Test func `one tenant has at most half of the places, rounded up`() async throws {
        let gate = Gate()
        let sources = Dictionary(
            uniqueKeysWithValues: (1...4).map { number in
                ("\(number)", ScriptedSource(["a": "one"], beforePage: { _ in await gate.pass() }))
            })
        let shop = try await Workshop(sources, operations: 3)
        var operations: [(asset: Asset, operation: OperationID)] = []
        for name in ["1", "2", "3"] { operations.append(try await shop.create(name, of: .acme)) }
        await gate.arrival(of: 2)
        operations.append(try await shop.create("4", of: .globex))
        await gate.arrival(of: 3)
        var statuses: [AssetOperation.Status] = []
        for (asset, operation) in operations {
            statuses.append(try await shop.operation(operation, of: asset).status)
        }
        #expect(statuses == [.running, .running, .pending, .running])
        gate.open()
        for (_, operation) in operations { #expect(await shop.end(of: operation).status == .completed) }
        await shop.close()
    }

    @Test func `an operation that waits starts when another ends`() async throws {
        let gate = Gate()
        let first = ScriptedSource(["a": "one"], beforePage: { _ in await gate.pass() })
        let shop = try await Workshop(["First": first, "Second": ScriptedSource(["b": "two"])], operations: 1)
        let (_, running) = try await shop.create("First")
        await gate.arrival()
        let (asset, waiting) = try await shop.create("Second")
        #expect(try await shop.operation(waiting, of: asset).status == .pending)
        gate.open()
        #expect(await shop.end(of: running).status == .completed)
        #expect(await shop.end(of: waiting).status == .completed)
        await shop.close()
    }

    @Test func `what was made before the engine ran is run too`() async throws {
        let folder = try TemporaryFolder()
        let first = try await Workshop(in: folder, [:])
        await first.ingestions.stop()
        let (_, operation) = try await first.create("Handbook")
        await first.close()
        let second = try await Workshop(in: folder, ["Handbook": ScriptedSource(["a": "one"])])
        #expect(await second.end(of: operation).status == .completed)
        await second.close()
    }
}

/// Documents that wait for their source.
@Suite struct WaitingTests {
    @Test func `a document that waits holds nobody up`() async throws {
        let waits = Gate()
        let source = ScriptedSource(
            ["slow": "1", "a": "2", "b": "3"],
            beforeReading: { (key) throws(SourceFault) in
                guard key == "slow" else { return }
                do { try await WorkPermit.current?.yield { () throws(CancellationError) in await waits.pass() } } catch
                {
                    throw .cancelled
                }
            })
        let shop = try await Workshop(["Handbook": source], documents: 1)
        let (asset, operation) = try await shop.create("Handbook")
        await waits.arrival()
        await shop.documentsDone(2)
        #expect(try await shop.document("slow", of: asset).status == .processing)
        #expect(try await shop.document("b", of: asset).status == .completed)
        waits.open()
        #expect(await shop.end(of: operation).counters.itemsProcessed == 3)
        await shop.close()
    }

    @Test func `a document that has waited works only when it has a place again`() async throws {
        let (waits, works) = (Gate(), Gate())
        let working = Locked((now: 0, most: 0))
        let source = ScriptedSource(
            ["slow": "1", "a": "2"],
            beforeReading: { (key) throws(SourceFault) in
                if key == "slow" {
                    do {
                        try await WorkPermit.current?.yield { () throws(CancellationError) in await waits.pass() }
                    } catch {
                        throw .cancelled
                    }
                }
                working.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
                await works.pass()
                working.withLock { $0.now -= 1 }
            })
        let shop = try await Workshop(["Handbook": source], documents: 1)
        let (_, operation) = try await shop.create("Handbook")
        await waits.arrival()
        await works.arrival()
        waits.open()
        works.open()
        #expect(await shop.end(of: operation).counters.itemsProcessed == 2)
        #expect(working.withLock { $0.most } == 1)
        await shop.close()
    }

    @Test func `an operation whose documents all wait can be cancelled`() async throws {
        let arrivals = Gate()
        let source = ScriptedSource(
            ["a": "1", "b": "2"],
            beforeReading: { (_) throws(SourceFault) in
                Task { await arrivals.pass() }
                do { try await WorkPermit.pause(for: .seconds(86_400)) } catch { throw .cancelled }
            })
        let shop = try await Workshop(["Handbook": source], documents: 1)
        let (asset, operation) = try await shop.create("Handbook")
        await arrivals.arrival(of: 2)
        _ = try await shop.cancel(operation, of: asset)
        #expect(await shop.end(of: operation).status == .cancelled)
        arrivals.open()
        await shop.close()
    }
}
