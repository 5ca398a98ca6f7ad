import CDispatch
import Foundation

/// Holds processes to a share of a core each. Whoever has used up its share is stopped until it has some again, as
/// cgroups do it by `cpu.max`, which needs root and the second version of them.
///
/// `@unchecked Sendable`: `lock` guards `isOver`; the rest never changes.
final class Throttle: @unchecked Sendable {
    private let pids: [pid_t]
    private let share: Double
    private let lock = NSLock()
    private var isOver = false
    private let ended = DispatchSemaphore(value: 0)

    /// Seconds whose share one who was idle may use at once. Where it were less, whoever waits for a moment would lose
    /// of its share.
    private static let longestSaved = 0.3

    /// - Parameter share: of one core.
    init(_ processes: [Child], share: Double) {
        pids = processes.map(\.pid)
        self.share = share
        Thread.detachNewThread { [self] in run() }
    }

    /// Lets all go on. Must be called before they are told to stop.
    func end() {
        lock.lock()
        isOver = true
        lock.unlock()
        ended.wait()
    }

    private var isRunning: Bool {
        lock.lock()
        defer { lock.unlock() }
        return !isOver
    }

    private func run() {
        var used = pids.map(Self.cpu)
        var saved = pids.map { _ in 0.0 }
        var areStopped = pids.map { _ in false }
        var last = Clock.seconds()
        while isRunning {
            usleep(1000)
            let now = Clock.seconds()
            for index in pids.indices {
                let cpu = Self.cpu(pids[index])
                saved[index] = min(saved[index] + share * (now - last), share * Self.longestSaved) - (cpu - used[index])
                used[index] = cpu
                guard areStopped[index] != (saved[index] < 0) else { continue }
                areStopped[index].toggle()
                kill(pids[index], areStopped[index] ? SIGSTOP : SIGCONT)
            }
            last = now
        }
        for pid in pids { kill(pid, SIGCONT) }
        ended.signal()
    }

    /// Exactly, where `/proc` has steps of 10 ms.
    private static func cpu(_ pid: pid_t) -> Double {
        var clock = clockid_t()
        var time = timespec()
        guard clock_getcpuclockid(pid, &clock) == 0, clock_gettime(clock, &time) == 0 else { return 0 }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
