import Glibc

/// Plain blocking sockets on the loopback address.
enum Sockets {
    /// A port that nobody listens at, below the range that outgoing connections are given.
    static func freePort() throws -> UInt16 {
        for _ in 0..<1000 {
            let port = UInt16.random(in: 20_000..<32_000)
            let descriptor = try make()
            defer { close(descriptor) }
            if bound(descriptor, port) { return port }
        }
        throw Trouble("no free port")
    }

    /// A socket that accepts connections, for a server of ours.
    static func listen(at port: UInt16) throws -> Int32 {
        let descriptor = try make()
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard bound(descriptor, port), Glibc.listen(descriptor, 256) == 0 else {
            close(descriptor)
            throw Trouble("cannot listen at port \(port): \(reason())")
        }
        return descriptor
    }

    /// A connection; `nil` where nobody listens.
    static func connect(to port: UInt16) throws -> Int32? {
        let descriptor = try make()
        let connected = withAddress(port) { Glibc.connect(descriptor, $0, $1) } == 0
        guard connected else {
            close(descriptor)
            return nil
        }
        setNoDelay(descriptor)
        return descriptor
    }

    static func setNoDelay(_ descriptor: Int32) {
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Sends all of it. Waits only where it is more than a socket's buffer takes, which no request of a load is.
    static func send(_ bytes: [UInt8], to descriptor: Int32) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Trouble("cannot send: \(reason())") }
            sent += count
        }
    }

    static func reason() -> String { String(cString: strerror(errno)) }

    private static func make() throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Trouble("no socket: \(reason())") }
        return descriptor
    }

    private static func bound(_ descriptor: Int32, _ port: UInt16) -> Bool {
        withAddress(port) { bind(descriptor, $0, $1) } == 0
    }

    private static func withAddress(_ port: UInt16, _ use: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                use($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}

/// The reason why a benchmark could not be run. A missed target is none.
struct Trouble: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
