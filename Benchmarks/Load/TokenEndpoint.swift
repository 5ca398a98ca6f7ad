import Glibc

/// The trivial token endpoint: answers each code with tokens made from it. A process of its own, so that its CPU is
/// not counted as the broker's.
enum TokenEndpoint {
    static func accessToken(for code: String) -> String { "at-\(code)" }

    static func refreshToken(for code: String) -> String { "rt-\(code)" }

    /// Serves until the process ends.
    static func serve(at port: UInt16) throws -> Never {
        let listener = try Sockets.listen(at: port)
        var poller = Poller()
        poller.add(listener, tag: -1)
        var connections: [Int: Connection] = [:]
        while true {
            for tag in poller.wait(milliseconds: -1) {
                if let connection = connections[tag] {
                    let isOpen = try? connection.receive { try Sockets.send(answer($0), to: connection.descriptor) }
                    guard isOpen != true else { continue }
                    poller.remove(tag: tag)
                    connections[tag] = nil
                } else {
                    let descriptor = accept(listener, nil, nil)
                    guard descriptor >= 0 else { continue }
                    Sockets.setNoDelay(descriptor)
                    connections[Int(descriptor)] = Connection(descriptor)
                    poller.add(descriptor, tag: Int(descriptor))
                }
            }
        }
    }

    private static func answer(_ request: Message) -> [UInt8] {
        guard let code = request.body.word(after: "&code=") else {
            return Array("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".utf8)
        }
        let body = """
            {"access_token":"\(accessToken(for: code))","token_type":"Bearer","expires_in":3600,\
            "refresh_token":"\(refreshToken(for: code))","scope":"files.read files.write"}
            """
        return Array(
            """
            HTTP/1.1 200 OK\r
            Content-Type: application/json\r
            Cache-Control: no-store\r
            Content-Length: \(body.utf8.count)\r
            \r
            \(body)
            """.utf8)
    }
}
