import Glibc
import Secrets

/// A file that holds the service's token. Whoever renews the token replaces or rewrites the file.
final class TokenFile: Sendable {
    private typealias Reading = Result<Secret<Use.BearerToken>, BrokerAuthorization.Fault>

    /// Longer than any sane token.
    private static let longest = 16 * 1024

    private let path: String
    private let last = Locked<Secret<Use.BearerToken>?>(nil)

    init(path: String) {
        self.path = path
    }

    /// The token as the file has it now. It is read each time: a file is small, and no stamp of it tells all changes.
    func token() async throws(BrokerAuthorization.Fault) -> Secret<Use.BearerToken> {
        let reading = await blocking { [path] in Self.read(path) }
        switch reading {
        case .success(let token):
            last.withLock { $0 = token }
            return token
        case .failure(let fault):
            // Renewed just now: the broker knows whether the one of before still serves.
            guard let token = last.withLock({ $0 }) else { throw fault }
            return token
        }
    }

    private static func read(_ path: String) -> Reading {
        // Does not wait for the writer of a pipe.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard descriptor >= 0 else { return .failure(.fileUnreadable) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: longest)
        while bytes.count <= longest {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return .failure(.fileUnreadable) }
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        return token(in: bytes).map { .success($0) } ?? .failure(.fileMalformed)
    }

    /// RFC 6750 § 2.1: a token is one word of visible ASCII. White space around it is an editor's.
    private static func token(in bytes: [UInt8]) -> Secret<Use.BearerToken>? {
        let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }
        let word = bytes.drop(while: isSpace).prefix { !isSpace($0) }
        guard (1...longest).contains(word.count), word.allSatisfy({ (0x21...0x7E).contains($0) }),
            bytes[word.endIndex...].allSatisfy(isSpace)
        else { return nil }
        return Secret(String(decoding: word, as: UTF8.self))
    }
}
