import Broker
import Logging
import Secrets
import ServiceLifecycle
import UnixSignals

/// Reads the master key file again when it changes or SIGHUP comes, and moves what lasts under its first key.
struct KeyWatcher: ServiceLifecycle.Service {
    /// How often the file is looked at, in seconds.
    static let interval = 2

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
                        try? await Task.sleep(for: .seconds(Self.interval))
                        changes.continuation.yield(false)
                    }
                    changes.continuation.finish()
                }
                var seen = file.stamp
                for await isAsked in changes.stream {
                    let stamp = file.stamp
                    guard isAsked || stamp != seen else { continue }
                    seen = stamp
                    await load()
                }
                group.cancelAll()
            }
        }
    }

    private func load() async {
        let ring: KeyRing
        do {
            ring = try file.read().ring
        } catch {
            let reason = (error as? Refusal)?.lines.first ?? "\(type(of: error))"
            logger.error("the master keys stay as they are", metadata: ["reason": "\(reason)"])
            return
        }
        guard broker.replaceKeys(by: ring) else { return }
        let ids = ring.ids.map(\.description).joined(separator: ", ")
        logger.notice("master keys read again", metadata: ["keys": "\(ids)"])
        await reseal()
    }

    private func reseal() async {
        do {
            let moved = try await broker.reseal { logger.info("sealing again", metadata: ["moved": "\($0)"]) }
            if moved > 0 { logger.notice("client secrets sealed again", metadata: ["moved": "\(moved)"]) }
        } catch {
            logger.error("what another master key sealed could not be moved", metadata: ["reason": "\(error)"])
        }
    }
}
