import Glibc

/// The file of this program, which also takes Word documents apart, in child processes.
enum Executable {
    /// `nil` where the system does not tell.
    static var path: String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0, count < buffer.count else { return nil }
        return String(validating: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
