import Assets
import TestSupport
import Testing

@testable import AssetReaders

@Suite(.timeLimit(.minutes(1))) struct HostGateTests {
    private static func pass(_ gate: HostGate, _ host: String, _ held: Gate) async -> SourceFault? {
        await fault { () async throws(SourceFault) in
            try await gate.pass(to: host) { () async throws(SourceFault) in await held.pass() }
        }
    }

    @Test func `so many pass to a host at once, and others as it empties`() async {
        let (gate, held) = (HostGate(most: 2), Gate())
        await withTaskGroup(of: SourceFault?.self) { group in
            for _ in 0..<5 { group.addTask { await Self.pass(gate, "a", held) } }
            await held.arrival(of: 2)
            #expect(await eventually { gate.waitingCount == 3 })
            held.open()
            for await fault in group { #expect(fault == nil) }
        }
        #expect(gate.waitingCount == 0)
    }

    @Test func `one host holds up no other`() async {
        let (gate, held) = (HostGate(most: 1), Gate())
        async let first = Self.pass(gate, "a", held)
        await held.arrival()
        let open = Gate()
        open.open()
        #expect(await Self.pass(gate, "b", open) == nil)
        held.open()
        #expect(await first == nil)
    }

    @Test func `a place is free again where the one that had it failed`() async {
        let gate = HostGate(most: 1)
        for _ in 0..<2 {
            let fault = await fault { () async throws(SourceFault) in
                try await gate.pass(to: "a") { () async throws(SourceFault) in throw .tooLarge }
            }
            #expect(fault == .tooLarge)
        }
    }

    @Test func `one that is cancelled leaves the line, and takes nobody's place`() async {
        let (gate, held) = (HostGate(most: 1), Gate())
        async let first = Self.pass(gate, "a", held)
        await held.arrival()
        let waiting = Task { await Self.pass(gate, "a", held) }
        #expect(await eventually { gate.waitingCount == 1 })
        waiting.cancel()
        #expect(await waiting.value == .cancelled)
        held.open()
        #expect(await first == nil)
        #expect(await Self.pass(gate, "a", held) == nil)
    }

    @Test func `those that wait pass in their order`() async {
        let (gate, held, order) = (HostGate(most: 1), Gate(), Order())
        await withTaskGroup(of: Void.self) { group in
            group.addTask { _ = await Self.pass(gate, "a", held) }
            await held.arrival()
            for number in 0..<3 {
                group.addTask {
                    _ = await fault { () async throws(SourceFault) in
                        try await gate.pass(to: "a") { () async throws(SourceFault) in
                            await order.note(number)
                        }
                    }
                }
                #expect(await eventually { gate.waitingCount == number + 1 })
            }
            held.open()
        }
        #expect(await order.numbers == [0, 1, 2])
    }
}

private actor Order {
    private(set) var numbers: [Int] = []

    func note(_ number: Int) { numbers.append(number) }
}
