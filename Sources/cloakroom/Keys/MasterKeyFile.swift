import Broker
import Catalog
import Formats
import Foundation
import Secrets

/// The file of master keys: read at the start and whenever it changes, written by `master-key rotate` and `retire`.
struct MasterKeyFile {
    /// As configured. It may be a link, which may lead to another file tomorrow: that is how an orchestrator changes a
    /// mounted secret.
    let path: String

    /// The file that it leads to now.
    private var target: MasterKeyFile {
        let real = realpath(path, nil)
        defer { free(real) }
        return MasterKeyFile(path: real.map { String(cString: $0) } ?? path)
    }

    static let wanted = "lines id:base64 of 32 bytes, as `cloakroom master-key new` prints them"

    /// Its lines as they are, so that a change keeps what people wrote, and the keys in them.
    func read() throws -> (lines: [String], ring: KeyRing) {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw Refusal(
                "masterKeyFile: \(path.quoted) cannot be read: \(UnreadableFile.reason(path))")
        }
        do throws(KeyRingError) {
            let lines = text.split(omittingEmptySubsequences: true, whereSeparator: \.isNewline).map(String.init)
            return (lines, try KeyRing(text))
        } catch {
            throw Refusal("masterKeyFile: found \(path.quoted) with \(error.finding), wanted \(Self.wanted)")
        }
    }

    /// The id that a line gives its key.
    static func id(in line: String) -> String {
        String(
            decoding: line.utf8.prefix { $0 != UInt8(ascii: ":") }.filter { $0 != 0x20 && $0 != 0x09 }, as: UTF8.self)
    }

    /// Reads the file, lets `edit` change its lines, and puts the result in its place: one command after another, so
    /// that no change is lost. Nothing is written where `edit` throws. A link stays, and one file is meant all along.
    func change<Result: Sendable>(_ edit: (inout [String], KeyRing) throws -> Result) async throws -> Result {
        let file = target
        let lock = try await FileLock(file.path + ".lock")
        defer { lock.release() }
        let (before, ring) = try file.read()
        var lines = before
        let result = try edit(&lines, ring)
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
        defer { close(descriptor) }
        // The owner and mode that the broker reads it by; the group may read at most, as `fsGroup` has it.
        if let old = try? FileManager.default.attributesOfItem(atPath: path) {
            if let mode = old[.posixPermissions] as? Int { _ = fchmod(descriptor, mode_t(mode) & 0o640) }
            // Only root can give a file away: others keep it, and are its owner already.
            if let owner = old[.ownerAccountID] as? Int, let group = old[.groupOwnerAccountID] as? Int {
                _ = fchown(descriptor, uid_t(owner), gid_t(group))
            }
        }
        let bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
        guard write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            throw failure("written")
        }
        guard rename(new, path) == 0 else { throw failure("put in place") }
        // The new name must survive a power cut too.
        let folder = open((path as NSString).deletingLastPathComponent.nonEmpty ?? ".", O_RDONLY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    /// One state of the file, told from another without reading it: a replaced file has another inode, a rewritten
    /// one another time or size.
    struct Stamp: Equatable {
        private let inode: Int?
        private let size: Int?
        private let changed: Date?

        init?(_ path: String) {
            guard let found = try? FileManager.default.attributesOfItem(atPath: path) else { return nil }
            inode = found[.systemFileNumber] as? Int
            size = found[.size] as? Int
            changed = found[.modificationDate] as? Date
        }
    }

    /// Of the file itself: a link's own would stay the same.
    var stamp: Stamp? { Stamp(target.path) }
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
