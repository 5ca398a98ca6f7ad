import Broker
import Logging
import Secrets
import ServiceLifecycle
import UnixSignals

/// Reads the master key file again when it changes or SIGHUP comes, and moves what lasts under its first key.
///
/// The two go on beside each other: to move many clients takes long, and `master-key rotate` counts on each broker's
/// reading a new key within `interval`, since any other may soon seal with it.
struct KeyWatcher: ServiceLifecycle.Service {
    /// The time between two looks at the file. Not by inotify: a mounted secret changes by links, often over a network.
    static let interval = Duration.seconds(2)

    /// The file, and the state that the broker's keys were read from: a change since then is one.
    let state: MasterKeyFile.State
    let broker: Broker
    let logger: Logger

    func run() async throws {
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
                    // What a rotation left when this broker did not run.
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
        guard try await broker.replaceKeys(by: keys.ring) else { return (keys.stamp, false) }
        let ids = keys.ring.ids.map(\.description).joined(separator: ", ")
        logger.notice("master keys read again", metadata: ["keys": "\(ids)"])
        return (keys.stamp, true)
    }

    private func tell(_ error: any Error) {
        let reason =
            switch error {
            case let refusal as Refusal: refusal.lines.first ?? ""
            case let refusal as KeyRefusal: refusal.words
            default: "an unexpected error (\(type(of: error)))"
            }
        logger.error("the master key file is refused, and the keys in use stay", metadata: ["reason": "\(reason)"])
    }

    private func reseal() async {
        do {
            let moved = try await broker.reseal { logger.info("sealing again", metadata: ["moved": "\($0)"]) }
            if moved > 0 { logger.notice("client secrets sealed again", metadata: ["moved": "\(moved)"]) }
        } catch {
            logger.error(
                "what another master key sealed could not be moved", metadata: ["reason": "\(error.reason)"])
        }
    }
}

extension KeyRefusal {
    fileprivate var words: String {
        switch self {
        case .missing(let uses):
            "the file lacks "
                + uses.sorted { $0.key < $1.key }.map { "the key \"\($0)\", which \($1.words ?? "nothing") needs" }
                .joined(separator: ", ") + "; put it back, or let a running broker move what it sealed first"
        case .another(let id): "the file has other bytes under \"\(id)\" than the database was sealed with"
        case .store(let error): "the database cannot tell what needs them (\(error.reason))"
        }
    }
}
