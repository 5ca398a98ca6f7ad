public import Broker

/// A store that a broker's process can watch.
public protocol ObservableStore: BrokerStore {
    /// Has an observer told what the store does from now on, in place of any before it. It must not block.
    func observe(_ observer: @escaping @Sendable (WriterEvent) -> Void)

    /// The number of operations that wait for their commit.
    var waitingCount: Int { get }
}
