import CSpawn
import Glibc

/// A child that runs, and our ends of the lines to it.
struct SpawnedChild {
    let process: pid_t
    let input: Int32
    let output: Int32
    let complaints: Int32

    /// - Parameter arguments: the path of the program first.
    init(_ arguments: [String], kill: ChildKill) throws(ExtractionFault) {
        let lines = (0..<3).compactMap { _ in ChildLine() }
        defer { for line in lines { close(line.theirs) } }
        do throws(ExtractionFault) {
            guard lines.count == 3 else { throw .unstartable }
            process = try kill.begin { () throws(ExtractionFault) in try Self.spawn(arguments, lines.map(\.theirs)) }
        } catch {
            for line in lines { close(line.ours) }
            throw error
        }
        (input, output, complaints) = (lines[0].ours, lines[1].ours, lines[2].ours)
    }

    /// - Parameter descriptors: become the child's 0, 1 and 2, its only ones.
    private static func spawn(_ arguments: [String], _ descriptors: [Int32]) throws(ExtractionFault) -> pid_t {
        var process: pid_t = 0
        let code = withCStrings(arguments) { arguments in
            withCStrings(["LANG=C.UTF-8", "PATH=/usr/bin:/bin"]) { environment in
                cspawn_start(&process, arguments, environment, descriptors)
            }
        }
        guard code == 0 else { throw .unstartable }
        return process
    }

    private static func withCStrings(
        _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Int32
    ) -> Int32 {
        let copies: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return body(copies + [nil])
    }
}

/// The two ends of a line to a child, which other children do not inherit. A socket, since a write to one whose other
/// end is gone can do without a signal.
private struct ChildLine {
    let ours: Int32
    let theirs: Int32

    init?() {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { return nil }
        (ours, theirs) = (ends[0], ends[1])
    }
}
