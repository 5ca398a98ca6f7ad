package import Logging
package import Secrets
import ServiceLifecycle
import UnixSignals

/// Reads the master key file again when it changes or SIGHUP comes, and moves what lasts under its first key.
///
/// The two go on beside each other: to move many clients takes long, and `master-key rotate` counts on each service's
/// reading a new key within `interval`, since any other may soon seal with it.
package struct KeyWatcher: ServiceLifecycle.Service {
    /// The time between two looks at the file. Not by inotify: a mounted secret changes by links, often over a network.
    package static let interval = Duration.seconds(2)

    private let state: MasterKeyFile.State
    private let replace: @Sendable (KeyRing) async throws -> Bool
    private let reseal: @Sendable () async -> Void
    private let logger: Logger

    /// - Parameters:
    ///   - state: the file, and the state that the keys in use were read from: a change since then is one.
    ///   - replace: takes over the keys of the file; tells whether they are others. Throws a `Refusal` where they do not
    ///     open what was sealed.
    ///   - reseal: moves what lasts under the first key.
    package init(
        state: MasterKeyFile.State, logger: Logger, replace: @escaping @Sendable (KeyRing) async throws -> Bool,
        reseal: @escaping @Sendable () async -> Void
    ) {
        self.state = state
        self.replace = replace
        self.reseal = reseal
        self.logger = logger
    }

    /// Watches until the group that it belongs to stops.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup { group in
                let looks = AsyncStream<Bool>.makeStream()
                // One that waits stands for all that come meanwhile.
                let changes = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
                group.addTask {
                    for await _ in await UnixSignalsSequence(trapping: .sighup) { looks.continuation.yield(true) }
                }
                group.addTask {
                    while !Task.isCancelled {
                        // False: nobody asked, so an unchanged file is left alone.
                        looks.continuation.yield(false)
                        try? await Task.sleep(for: Self.interval)
                    }
                    looks.continuation.finish()
                }
                group.addTask {
                    // What a rotation left when this process did not run.
                    await reseal()
                    for await _ in changes.stream { await reseal() }
                }
                await watch(looks.stream) { changes.continuation.yield() }
                changes.continuation.finish()
                group.cancelAll()
            }
        }
    }

    /// - Parameter changed: told when other keys are in use.
    private func watch(_ looks: AsyncStream<Bool>, changed: () -> Void) async {
        var seen: FileStamp? = state.stamp
        var told = seen
        for await isAsked in looks {
            let stamp = await blocking { [state] in state.file.stamp }
            guard isAsked || stamp != seen else { continue }
            do {
                let (taken, isChange) = try await load()
                seen = taken
                if isChange { changed() }
            } catch {
                // It is looked at again: what needed the missing key may have ended. A state is complained about once.
                if isAsked || stamp != told { tell(error) }
            }
            told = stamp
        }
    }

    /// Takes over what the file has now: that state of it, and whether these are other keys than before.
    private func load() async throws -> (FileStamp, isChange: Bool) {
        let keys = try await blocking { [state] in Result { try state.file.read() } }.get()
        guard try await replace(keys.ring) else { return (keys.stamp, false) }
        let ids = keys.ring.ids.map(\.description).joined(separator: ", ")
        logger.notice("master keys read again", metadata: ["keys": "\(ids)"])
        return (keys.stamp, true)
    }

    private func tell(_ error: any Error) {
        let reason =
            switch error {
            case let refusal as Refusal: refusal.lines.first ?? ""
            default: "an unexpected error (\(type(of: error)))"
            }
        logger.error("the master key file is refused, and the keys in use stay", metadata: ["reason": "\(reason)"])
    }
}
