public import Secrets

/// Where the brokers of one database meet, to hand each other what is in no database.
public protocol BrokerGroupStore: Sendable {
    /// Says that a broker is there, leaves what it hands to others, and gives those that are there besides and what they
    /// hand to it. Brokers that have not met for a minute are forgotten.
    func meet(_ member: GroupMember, handing handovers: [Handover]) async throws(StoreError) -> GroupMeeting
}

/// A running broker, as the others see it.
public struct GroupMember: Sendable, Equatable {
    /// Random, and another after a restart. Also the name of its process key.
    public let id: String
    /// The public half by which others hand it something.
    public let publicKey: [UInt8]
    /// Made from the master key: whoever only writes to the database is handed nothing.
    public let proof: [UInt8]
    /// False: it has not met the others for some seconds, so it was stopped or has lost the database.
    public let isHere: Bool

    /// For stores and `BrokerGroup`.
    public init(id: String, publicKey: [UInt8], proof: [UInt8], isHere: Bool = true) {
        self.id = id
        self.publicKey = publicKey
        self.proof = proof
        self.isHere = isHere
    }
}

/// Keys of processes, sealed for one broker.
public struct Handover: Sendable {
    /// The broker at the other end: its recipient, or its sender.
    public let member: String
    /// Opens with the secret that both share alone.
    public let sealed: Sealed<Handover>

    /// For stores and `BrokerGroup`.
    public init(member: String, sealed: Sealed<Handover>) {
        self.member = member
        self.sealed = sealed
    }
}

/// A broker's view of the group.
public struct GroupMeeting: Sendable {
    /// The others.
    public let members: [GroupMember]
    /// From others.
    public let handovers: [Handover]

    /// For stores.
    public init(members: [GroupMember], handovers: [Handover]) {
        self.members = members
        self.handovers = handovers
    }
}
