import Broker
import Logging
import Secrets
import ServiceLifecycle
import UnixSignals

/// Reads the master key file again when it changes or SIGHUP comes, and moves what lasts under its first key.
struct KeyWatcher: ServiceLifecycle.Service {
    /// The time between two looks at the file. Not by inotify: a mounted secret changes by links, often over a network.
    static let interval = Duration.seconds(2)

    let file: MasterKeyFile
    let broker: Broker
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            // What a rotation left when this broker did not run.
            await reseal()
            await withTaskGroup { group in
                let changes = AsyncStream<Bool>.makeStream()
                group.addTask {
                    for await _ in await UnixSignalsSequence(trapping: .sighup) { changes.continuation.yield(true) }
                }
                group.addTask {
                    while !Task.isCancelled {
                        try? await Task.sleep(for: Self.interval)
                        // False: nobody asked, so an unchanged file is left alone.
                        changes.continuation.yield(false)
                    }
                    changes.continuation.finish()
                }
                var seen = await blocking { [file] in file.stamp }
                var told = seen
                for await isAsked in changes.stream {
                    let stamp = await blocking { [file] in file.stamp }
                    guard isAsked || stamp != seen else { continue }
                    // What was refused is looked at again: what needed the missing key may have ended.
                    if await load(isNew: isAsked || stamp != told) { seen = stamp }
                    told = stamp
                }
                group.cancelAll()
            }
        }
    }

    /// Takes over what the file has now; true where nothing is left to do for this state of it.
    ///
    /// - Parameter isNew: this state of the file was not complained about yet.
    private func load(isNew: Bool) async -> Bool {
        do {
            let ring = try await blocking { [file] in Result { try file.read().ring } }.get()
            guard try await broker.replaceKeys(by: ring) else { return true }
            let ids = ring.ids.map(\.description).joined(separator: ", ")
            logger.notice("master keys read again", metadata: ["keys": "\(ids)"])
            await reseal()
            return true
        } catch {
            let reason =
                switch error {
                case let refusal as Refusal: refusal.lines.first ?? ""
                case let refusal as KeyRefusal: refusal.words
                default: "an unexpected error (\(type(of: error)))"
                }
            if isNew {
                logger.error(
                    "the master key file is refused, and the keys in use stay", metadata: ["reason": "\(reason)"])
            }
            return false
        }
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
