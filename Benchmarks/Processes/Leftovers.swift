import Foundation

/// The things that must not outlive the program: its children and its folder, however it ends.
///
/// Plain memory instead of a collection, because a crash's signal handler reads it too.
enum Leftovers {
    private static let most = 16
    nonisolated(unsafe) private static let children: UnsafeMutablePointer<pid_t> = {
        let slots = UnsafeMutablePointer<pid_t>.allocate(capacity: most)
        slots.initialize(repeating: 0, count: most)
        return slots
    }()
    nonisolated(unsafe) private static var folder: String?

    nonisolated(unsafe) private static var toWatcher: Int32 = -1

    /// Called once, first.
    /// - Parameter limit: seconds after which the program ends itself.
    static func watch(limit: UInt32) throws {
        _ = children
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Trouble("no pipe: \(Sockets.reason())") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        toWatcher = ends[1]
        let fromHandler = ends[0]
        // A handler may do little: it kills, and leaves the rest to this thread.
        Thread.detachNewThread {
            var signal: Int32 = 0
            while read(fromHandler, &signal, 4) != 4 {}
            if signal == SIGALRM { Terminal.write("error: not done in \(limit) s") }
            remove()
            _exit(128 + signal)
        }
        for end in [SIGINT, SIGTERM, SIGHUP, SIGALRM] {
            signal(end) { number in
                var number = number
                Leftovers.killChildren()
                _ = write(Leftovers.toWatcher, &number, 4)
            }
        }
        for crash in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT] {
            signal(crash) { number in
                Leftovers.killChildren()
                signal(number, SIG_DFL)
                raise(number)
            }
        }
        alarm(limit)
    }

    static func add(_ child: pid_t) {
        for slot in 0..<most where children[slot] == 0 {
            children[slot] = child
            return
        }
    }

    static func forget(_ child: pid_t) {
        for slot in 0..<most where children[slot] == child { children[slot] = 0 }
    }

    /// Makes the folder that all files go to.
    static func makeFolder(in parent: String) throws -> String {
        var template = Array((parent + "/cloakroom-bench-XXXXXX").utf8CString)
        let made = template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!).map { String(cString: $0) } }
        guard let made else { throw Trouble("no folder in \(parent): \(Sockets.reason())") }
        folder = made
        return made
    }

    /// By one thread at a time: a signal's and the main one may both come to the end.
    static func remove() {
        removing.lock()
        defer { removing.unlock() }
        killChildren()
        // A child that was just killed may still be making a file.
        for _ in 0..<20 {
            guard let folder, FileManager.default.fileExists(atPath: folder) else { return }
            try? FileManager.default.removeItem(atPath: folder)
            usleep(10_000)
        }
    }

    private static let removing = NSLock()

    private static func killChildren() {
        for slot in 0..<most where children[slot] > 0 { kill(children[slot], SIGKILL) }
    }
}

enum Terminal {
    static func write(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }
}
