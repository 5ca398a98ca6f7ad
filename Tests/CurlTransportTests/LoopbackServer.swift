import Foundation

/// A server on a loopback port with one thread for each connection. What it answers, or fails to, is the test's choice.
///
/// `@unchecked Sendable`: `lock` guards everything that changes.
final class LoopbackServer: @unchecked Sendable {
    enum Family {
        case v4, v6
    }

    let port: UInt16
    private let listener: Int32
    private let lock = NSLock()
    private var open: Set<Int32> = []
    private var accepted = 0
    private var isStopped = false

    /// The number of connections that have come.
    var acceptedCount: Int { lock.withLock { accepted } }

    init(_ family: Family = .v4, serve: @escaping @Sendable (Connection) -> Void) throws {
        (listener, port) = try listenOnLoopback(family, backlog: 1024)
        Thread.detachNewThread { [self] in acceptAll(serve) }
    }

    func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }

    /// Closes the port and breaks all connections.
    func stop() {
        lock.withLock {
            guard !isStopped else { return }
            isStopped = true
            shutdown(listener, Int32(SHUT_RDWR))
            for descriptor in open { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    private func acceptAll(_ serve: @escaping @Sendable (Connection) -> Void) {
        while true {
            let descriptor = accept(listener, nil, nil)
            guard descriptor >= 0 else { break }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            let isWelcome = lock.withLock {
                if !isStopped {
                    accepted += 1
                    open.insert(descriptor)
                }
                return !isStopped
            }
            guard isWelcome else {
                close(descriptor)
                continue
            }
            Thread.detachNewThread { [self] in
                serve(Connection(descriptor))
                lock.withLock {
                    _ = open.remove(descriptor)
                    close(descriptor)
                }
            }
        }
        close(listener)
    }
}

struct SocketFailure: Error {
    var step: String
    var code: Int32

    init(_ step: String) {
        self.step = step
        code = errno
    }
}

/// A listening socket on a port of the system's choice.
func listenOnLoopback(_ family: LoopbackServer.Family, backlog: Int32) throws -> (descriptor: Int32, port: UInt16) {
    let domain = family == .v4 ? AF_INET : AF_INET6
    let descriptor = socket(domain, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw SocketFailure("socket") }
    var storage = sockaddr_storage()
    storage.ss_family = sa_family_t(domain)
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let port: UInt16? = withUnsafeMutableBytes(of: &storage) { bytes in
        // Both families keep the port in the same place.
        if family == .v4 {
            bytes.storeBytes(of: INADDR_LOOPBACK.bigEndian, toByteOffset: 4, as: UInt32.self)
        } else {
            bytes.storeBytes(of: in6addr_loopback, toByteOffset: 8, as: in6_addr.self)
        }
        let size = family == .v4 ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
        return bytes.withMemoryRebound(to: sockaddr.self) { address in
            guard let address = address.baseAddress, bind(descriptor, address, socklen_t(size)) == 0,
                listen(descriptor, backlog) == 0, getsockname(descriptor, address, &length) == 0
            else { return nil }
            return UInt16(
                bigEndian: UnsafeRawPointer(address).loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        }
    }
    guard let port else {
        defer { close(descriptor) }
        throw SocketFailure("listen")
    }
    return (descriptor, port)
}

/// Runs a test's body beside a server and stops it afterwards.
func withServer<Value>(
    _ serve: @escaping @Sendable (Connection) -> Void, family: LoopbackServer.Family = .v4,
    body: (LoopbackServer) async throws -> Value
) async throws -> Value {
    let server = try LoopbackServer(family, serve: serve)
    defer { server.stop() }
    return try await body(server)
}
