import Glibc

/// A server of one thread, for answers that need no thought. What it stands in for is not measured: it must cost little.
enum AnsweringServer {
    /// Answers each request until the process ends, after so many seconds.
    static func serve(
        at port: UInt16, after delay: Double = 0, _ answer: (Message) -> [UInt8]
    ) throws -> Never {
        let listener = try Sockets.listen(at: port)
        var poller = Poller()
        poller.add(listener, tag: -1)
        var connections: [Int: Connection] = [:]
        // In the order in which they are due.
        var delayed: [(due: Double, connection: Connection, answer: [UInt8])] = []
        while true {
            let sent = delayed.prefix { $0.due <= Clock.seconds() }
            for late in sent { try? Sockets.send(late.answer, to: late.connection.descriptor) }
            delayed.removeFirst(sent.count)
            for tag in poller.wait(milliseconds: delayed.isEmpty ? -1 : 1) {
                if let connection = connections[tag] {
                    let isOpen = try? connection.receive { request in
                        if delay > 0 {
                            delayed.append((Clock.seconds() + delay, connection, answer(request)))
                        } else {
                            try Sockets.send(answer(request), to: connection.descriptor)
                        }
                    }
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

    /// An answer with a body.
    static func answer(_ body: [UInt8], type: String) -> [UInt8] {
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\nCache-Control: no-store\r\nContent-Length: \(body.count)\r\n\r\n"
        return Array(head.utf8) + body
    }

    static func refusal(_ status: String) -> [UInt8] { Array("HTTP/1.1 \(status)\r\nContent-Length: 0\r\n\r\n".utf8) }
}
