import Foundation

/// A process that we started.
final class Child {
    let pid: pid_t
    private var hasEnded = false
    /// Our own servers end when this closes, even if we are killed.
    private let lifeline: Int32

    /// - Parameters:
    ///   - arguments: the program first.
    ///   - log: the file that its standard error goes to.
    init(_ arguments: [String], log: String, settings: [String: String] = [:]) throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Trouble("no pipe: \(Sockets.reason())") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        lifeline = ends[1]
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
        posix_spawn_file_actions_addopen(&actions, 2, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 2, 1)
        // A thread of Swift's pool has signals blocked, and a child would inherit that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var arguments = arguments.map { strdup($0) } + [nil]
        // Every variable of that prefix is a setting of the broker or of the asset service.
        let inherited = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("CLOAKROOM_") }
        var environment = inherited.merging(settings) { $1 }.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in arguments + environment { free(text) } }
        var pid = pid_t()
        let code = posix_spawn(&pid, arguments[0]!, &actions, &attributes, &arguments, &environment)
        close(ends[0])
        guard code == 0 else {
            close(lifeline)
            throw Trouble("cannot start \(String(cString: arguments[0]!)): \(String(cString: strerror(code)))")
        }
        self.pid = pid
        Leftovers.add(pid)
    }

    deinit { stop() }

    /// For our own servers: ends this process when the one that started it is gone.
    static func endWithParent() {
        Thread.detachNewThread {
            var byte: UInt8 = 0
            while read(0, &byte, 1) > 0 {}
            _exit(0)
        }
    }

    var isRunning: Bool {
        if !hasEnded, waitpid(pid, nil, WNOHANG) != 0 {
            hasEnded = true
            Leftovers.forget(pid)
        }
        return !hasEnded
    }

    /// Waits until it ends by itself.
    func wait() {
        while isRunning { usleep(10_000) }
    }

    /// Tells it to stop, and kills what is still there ten seconds later.
    func stop(_ signal: Int32 = SIGTERM) {
        guard isRunning else { return }
        kill(pid, signal)
        close(lifeline)
        for _ in 0..<1000 {
            guard isRunning else { return }
            usleep(10_000)
        }
        kill(pid, SIGKILL)
        while isRunning { usleep(1000) }
    }

    // MARK: what the kernel says of it

    /// User and system time of all its threads, in seconds.
    var cpu: Double { get throws { try times.own } }

    var times: Times {
        get throws {
            guard let times = Times(of: pid) else { throw Trouble("cannot read the CPU time of process \(pid)") }
            return times
        }
    }

    /// User and system times in seconds. The kernel gives them in steps of 10 ms.
    struct Times {
        let parent: pid_t
        let own: Double
        /// Of the processes that it started and that have ended.
        let ofEnded: Double

        /// `nil` where there is no such process.
        init?(of pid: pid_t) {
            guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return nil }
            // The name before it, in parentheses, may hold spaces.
            let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
            guard fields.count > 15, let parent = pid_t(fields[2]) else { return nil }
            let times = fields[12...15].compactMap { Double($0) }.map { $0 / Double(sysconf(Int32(_SC_CLK_TCK))) }
            guard times.count == 4 else { return nil }
            self.parent = parent
            own = times[0] + times[1]
            ofEnded = times[2] + times[3]
        }
    }

    /// Resident memory in MiB.
    var resident: Double { get throws { try mebibytes("VmRSS") } }

    /// The most resident memory that it ever had, in MiB.
    var mostResident: Double { get throws { try mebibytes("VmHWM") } }

    private func mebibytes(_ name: String) throws -> Double {
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix(name + ":") }),
            let kilobytes = line.split(separator: " ").dropLast().last.flatMap({ Double($0) })
        else { throw Trouble("cannot read the memory of process \(pid)") }
        return kilobytes / 1024
    }
}
