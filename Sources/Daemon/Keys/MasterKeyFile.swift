import Formats
import Foundation
package import Secrets

/// The file of master keys: read at the start and whenever it changes, written by `master-key rotate` and `retire`.
package struct MasterKeyFile: Sendable {
    /// As configured. It may be a link, which may lead to another file tomorrow: that is how an orchestrator changes a
    /// mounted secret.
    package let path: String

    /// Reads nothing yet.
    package init(path: String) {
        self.path = path
    }

    /// The file that it leads to now.
    private var target: MasterKeyFile {
        let real = realpath(path, nil)
        defer { free(real) }
        return MasterKeyFile(path: real.map { String(cString: $0) } ?? path)
    }

    /// The words for what such a file has to have in it.
    package static let wanted = "lines id:base64 of 32 bytes, as `cloakroom master-key new` prints them"

    /// The contents of the file at one moment.
    package struct Contents: Sendable {
        /// As they are, so that a change keeps what people wrote.
        package let lines: [String]
        /// Its keys, of which the first seals.
        package let ring: KeyRing
        /// The state of the file that they are of.
        package let stamp: FileStamp
    }

    /// A file, and the state in which it was last read.
    package struct State: Sendable {
        /// The file.
        package let file: MasterKeyFile
        /// Its state.
        package let stamp: FileStamp

        /// Reads nothing.
        package init(file: MasterKeyFile, stamp: FileStamp) {
            self.file = file
            self.stamp = stamp
        }
    }

    /// The reasons why a file gives no keys.
    package enum Fault: Error {
        /// It is not there, or is no file, or not one of ours to read.
        case unreadable(UnreadableFile)
        /// A line of it is wrong.
        case malformed(KeyRingError)

        /// For a sentence with `found`.
        ///
        /// - Parameter file: its name, quoted.
        package func finding(of file: String) -> String {
            switch self {
            case .unreadable(let fault): "\(file), which cannot be read (\(fault.reason))"
            case .malformed(let error): "\(file) with \(error.finding)"
            }
        }
    }

    /// Reads the file, and waits for nobody: with a pipe in its place, a service could not even stop.
    package func look() throws(Fault) -> Contents {
        let file: ReadFile
        let text: String
        do throws(UnreadableFile) {
            file = try ReadFile(path, mustBeRegular: true)
            text = try file.text()
        } catch {
            throw .unreadable(error)
        }
        do throws(KeyRingError) {
            let lines = text.split(omittingEmptySubsequences: true, whereSeparator: \.isNewline).map(String.init)
            return Contents(lines: lines, ring: try KeyRing(text), stamp: file.stamp)
        } catch {
            throw .malformed(error)
        }
    }

    /// The same, with a refusal for people.
    package func read() throws(Refusal) -> Contents {
        do throws(Fault) {
            return try look()
        } catch {
            switch error {
            case .unreadable(let fault):
                throw Refusal("masterKeyFile: \(path.quoted) cannot be read: \(fault.reason)")
            case .malformed:
                throw Refusal("masterKeyFile: found \(error.finding(of: path.quoted)), wanted \(Self.wanted)")
            }
        }
    }

    /// The id that a line gives its key.
    package static func id(in line: String) -> String {
        String(
            decoding: line.utf8.prefix { $0 != UInt8(ascii: ":") }.filter { $0 != 0x20 && $0 != 0x09 }, as: UTF8.self)
    }

    /// Reads the file, lets `edit` change its lines, and puts the result in its place: one command after another, so
    /// that no change is lost. Nothing is written where `edit` throws. A link stays, and one file is meant all along.
    package func change<Result: Sendable>(_ edit: (inout [String], KeyRing) throws -> Result) async throws -> Result {
        let file = target
        let lock = try await FileLock(file.path + ".lock")
        defer { lock.release() }
        let before = try file.read()
        var lines = before.lines
        let result = try edit(&lines, before.ring)
        try file.replace(by: lines)
        return result
    }

    /// All or nothing: who reads meanwhile sees the old keys or the new ones, and so does the next start after a crash.
    private func replace(by lines: [String]) throws {
        let new = path + ".new"
        let failure = { (what: String) in
            Refusal("masterKeyFile: \(new.quoted) cannot be \(what): \(String(cString: strerror(errno)))")
        }
        // What a command left that was killed here may be of another owner; `O_EXCL` makes sure that this one is ours.
        unlink(new)
        let descriptor = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure("created") }
        var isInPlace = false
        defer {
            close(descriptor)
            // It holds the keys.
            if !isInPlace { unlink(new) }
        }
        // The owner and mode that the service reads it by; the group may read at most, as `fsGroup` has it.
        if let old = try? FileManager.default.attributesOfItem(atPath: path) {
            if let mode = old[.posixPermissions] as? Int { _ = fchmod(descriptor, mode_t(mode) & 0o640) }
            // Only root can give a file away: others keep it, and are its owner already.
            if let owner = old[.ownerAccountID] as? Int, let group = old[.groupOwnerAccountID] as? Int {
                _ = fchown(descriptor, uid_t(owner), gid_t(group))
            }
        }
        var rest = Array((lines.joined(separator: "\n") + "\n").utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("written") }
            rest = rest.dropFirst(count)
        }
        guard fsync(descriptor) == 0 else { throw failure("written") }
        guard rename(new, path) == 0 else { throw failure("put in place") }
        isInPlace = true
        // The new name must survive a power cut too.
        let folder = open((path as NSString).deletingLastPathComponent.nonEmpty ?? ".", O_RDONLY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    /// Of the file that it leads to now; `nil` where there is none.
    package var stamp: FileStamp? { FileStamp(path) }
}

extension String {
    fileprivate var nonEmpty: String? { isEmpty ? nil : self }
}

extension KeyRingError {
    /// The fault of a master key file, for a sentence with `found`.
    var finding: String {
        switch self {
        case .empty: "no key"
        case .lineMalformed(let line): "no colon in line \(line)"
        case .nameMalformed(let line): "no sound id in line \(line)"
        case .keyMalformed(let line, let id): "no 32 bytes in base64 for \(id) in line \(line)"
        case .nameRepeated(let line, let id): "the id \(id) again in line \(line)"
        }
    }
}
