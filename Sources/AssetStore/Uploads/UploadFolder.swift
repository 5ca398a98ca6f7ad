import Foundation
import Glibc
import Secrets

/// The folder of the files that callers sent, beside the database. Names are made here, so that no caller's name ever
/// is a path. What blocks runs outside of Swift's pool.
public struct UploadFolder: Sendable {
    let path: String

    /// Makes the folder where there is none, for its owner alone.
    init(path: String) throws(OpeningError) {
        self.path = path
        let parent = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        guard mkdir(path, 0o700) == 0 || errno == EEXIST, chmod(path, 0o700) == 0, Self.sync(folder: parent) else {
            throw .cannotCreate(path: path, reason: String(cString: strerror(errno)))
        }
    }

    /// Begins a file under a new random name.
    public func create() async throws(UploadFault) -> UploadFile {
        let name = Self.randomName()
        let path = path(of: name)
        let opened = await blocking { () -> Result<Int32, UploadFault> in
            let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
            return descriptor >= 0 ? .success(descriptor) : .failure(.system())
        }
        return UploadFile(try opened.get(), name: name, in: self)
    }

    /// The bytes of a file.
    public func contents(of storedName: String) async throws(UploadFault) -> [UInt8] {
        guard Self.isName(storedName) else { throw .missing }
        let path = path(of: storedName)
        return try await blocking { Self.read(path) }.get()
    }

    /// Removes a file. One that is gone already is as well.
    public func remove(_ storedName: String) async {
        guard Self.isName(storedName) else { return }
        let path = path(of: storedName)
        await blocking { _ = unlink(path) }
    }

    /// Removes the files that no asset has: those whose request the end of a process cut short, or whose asset is gone.
    func sweep(keeping names: Set<String>) async {
        let folder = path
        await blocking {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            where Self.isName(name) && !names.contains(name) {
                unlink("\(folder)/\(name)")
            }
        }
    }

    func path(of storedName: String) -> String { "\(path)/\(storedName)" }

    /// Has the names in a folder on the disk (fsync(2), "NOTES"). `false`: `errno` says why not.
    static func sync(folder path: String) -> Bool {
        let folder = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
        guard folder >= 0 else { return false }
        defer { close(folder) }
        return fsync(folder) == 0
    }

    private static func read(_ path: String) -> Result<[UInt8], UploadFault> {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return .failure(errno == ENOENT ? .missing : .system()) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return .failure(.system()) }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var count = 0
        while count < bytes.count {
            let got = bytes[count...].withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if got < 0, errno == EINTR { continue }
            guard got > 0 else { return .failure(got == 0 ? .failed(reason: "the file is cut short") : .system()) }
            count += got
        }
        return .success(bytes)
    }

    private static let digits = Array("0123456789abcdef".utf8)

    static func hexadecimal(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 0xF)]] }, as: UTF8.self)
    }

    private static func randomName() -> String { hexadecimal(Random.bytes(16)) }

    /// Nothing else in the folder is ours to read or remove.
    private static func isName(_ text: String) -> Bool {
        text.utf8.count == 32 && text.utf8.allSatisfy { digits.contains($0) }
    }
}

extension UploadFault {
    /// The system's last failure.
    static func system() -> UploadFault { .failed(reason: String(cString: strerror(errno))) }
}
