import Formats
public import Secrets

/// The brokers of one database hand each other the keys of their processes, so that any of them can revoke at its
/// provider what another one sealed.
///
/// The keys are in no database and no file: they pass sealed under a secret of two processes' memories (ECDH), so that
/// database, backups, the server's logs and the master key together open nothing that was sealed under them. A broker's
/// key outlives it in the others.
public actor BrokerGroup {
    private let store: any BrokerGroupStore
    private let masterKeys: KeyRing
    private let processKey: KeyRing
    private let agreement = KeyAgreement()
    private let id: String
    /// The keys that each member was handed already.
    private var handed: [String: Set<KeyRing.KeyID>] = [:]

    private static let label = Label("group-handover")
    private static let proofLabel = Label("group-member")
    /// Of as many brokers the keys are kept: a token waits for minutes, not for as many restarts.
    private static let mostKeys = 64

    /// - Parameter processKey: from `processKey()`.
    public init(store: any BrokerGroupStore, masterKeys: KeyRing, processKey: KeyRing) {
        self.store = store
        self.masterKeys = masterKeys
        self.processKey = processKey
        id = processKey.primary.description
    }

    /// A new key of this process, under a name of its own.
    public static func processKey() -> KeyRing {
        guard let id = KeyRing.KeyID("p-" + Base64URL.encode(Random.bytes(15))) else { return .ephemeral() }
        return .ephemeral(named: id)
    }

    /// Meets the others once, and gives the number of brokers that run, this one among them. Run every second: a broker
    /// that dies sooner takes its key with it.
    @discardableResult
    public func meet() async throws(StoreError) -> Int {
        let me = GroupMember(
            id: id, publicKey: agreement.publicKey, proof: proof(id, agreement.publicKey, masterKeys.primary))
        let meeting = try await store.meet(me, handing: [])
        take(meeting)
        // Whoever only writes to the database makes no limits smaller.
        let count = 1 + meeting.members.count { $0.isHere && isProven($0) }
        let (handovers, keys) = handovers(to: meeting.members)
        guard !handovers.isEmpty else { return count }
        _ = try await store.meet(me, handing: handovers)
        for handover in handovers { handed[handover.member] = keys }
        let present = Set(meeting.members.map(\.id))
        handed = handed.filter { present.contains($0.key) }
        return count
    }

    private func handovers(to members: [GroupMember]) -> ([Handover], Set<KeyRing.KeyID>) {
        let all = processKey.all
        let ids = Set(all.map(\.id))
        let lines = all.map { entry in entry.key.expose { "\(entry.id):\(Base64URL.encode($0))" } }
        let content = SecretBytes(Array(lines.joined(separator: "\n").utf8))
        var handovers: [Handover] = []
        for member in members where !ids.isSubset(of: handed[member.id] ?? []) {
            guard isProven(member), let secret = agreement.shared(with: member.publicKey) else { continue }
            let sealed: Sealed<Handover> = masterKeys.seal(
                content, as: Self.label, context: Array("\(id) \(member.id)".utf8), under: secret)
            handovers.append(Handover(member: member.id, sealed: sealed))
        }
        return (handovers, ids)
    }

    private func take(_ meeting: GroupMeeting) {
        for handover in meeting.handovers {
            guard let sender = meeting.members.first(where: { $0.id == handover.member }), isProven(sender),
                let secret = agreement.shared(with: sender.publicKey),
                let content = try? masterKeys.open(
                    handover.sealed, as: Self.label, context: Array("\(sender.id) \(id)".utf8), under: secret),
                let ring = try? KeyRing(content.expose { String(decoding: $0, as: UTF8.self) })
            else { continue }
            processKey.take(ring.all, most: Self.mostKeys)
        }
    }

    /// The name of a member's process key is in it too: nobody else's key can come under it.
    private func proof(_ id: String, _ publicKey: [UInt8], _ key: KeyRing.KeyID) -> [UInt8] {
        let text = SecretBytes(Array(id.utf8) + [0] + publicKey)
        let code = masterKeys.derive(Self.proofLabel, from: text, key: key)?.expose { $0 } ?? []
        return Array("\(key):".utf8) + code
    }

    private func isProven(_ member: GroupMember) -> Bool {
        guard let colon = member.proof.firstIndex(of: UInt8(ascii: ":")),
            let key = KeyRing.KeyID(String(decoding: member.proof[..<colon], as: UTF8.self)),
            masterKeys.ids.contains(key)
        else { return false }
        return constantTimeEqual(member.proof, proof(member.id, member.publicKey, key))
    }
}
