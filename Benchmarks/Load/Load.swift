import Dispatch

/// Requests over many connections from one thread. Each connection is a closed loop: its next request leaves when the
/// answer to the last one is there.
struct Load {
    let ports: [UInt16]
    let connections: Int
    /// Seconds after which something must be wrong.
    var limit = 300.0

    /// - Parameter ports: of several servers of a kind; connection `i` is to `ports[i % count]`.
    init(ports: [UInt16], connections: Int) {
        self.ports = ports
        self.connections = connections
    }

    init(port: UInt16, connections: Int) { self.init(ports: [port], connections: connections) }

    /// The answers and the time of a run.
    struct Run {
        var answers = 0
        var seconds = 0.0

        var perSecond: Double { Double(answers) / max(seconds, 1e-9) }
    }

    /// Runs until every connection is done.
    ///
    /// - Parameter next: the next request of a connection, given the answer to its last one (`nil` at first). `nil`
    ///   ends the connection.
    func run(_ next: (_ connection: Int, _ answer: Message?) throws -> [UInt8]?) throws -> Run {
        var poller = Poller()
        var open: [Connection?] = []
        for index in 0..<connections {
            let port = ports[index % ports.count]
            guard let descriptor = try Sockets.connect(to: port) else { throw Trouble("nobody listens at \(port)") }
            open.append(Connection(descriptor))
            poller.add(descriptor, tag: index)
        }
        var result = Run()
        var remaining = connections
        let began = Clock.seconds()

        func proceed(_ index: Int, _ connection: Connection, _ answer: Message?) throws {
            if let request = try next(index, answer) {
                try Sockets.send(request, to: connection.descriptor)
            } else {
                open[index] = nil
                poller.remove(tag: index)
                remaining -= 1
            }
        }
        for (index, connection) in open.enumerated() {
            if let connection { try proceed(index, connection, nil) }
        }
        while remaining > 0 {
            guard Clock.seconds() - began < limit else { throw Trouble("no end after \(limit) s") }
            for index in poller.wait(milliseconds: 1000) {
                guard let connection = open[index] else { continue }
                let isOpen = try connection.receive { answer in
                    result.answers += 1
                    try proceed(index, connection, answer)
                }
                if !isOpen, open[index] != nil { throw Trouble("the server closed a connection") }
            }
        }
        result.seconds = Clock.seconds() - began
        return result
    }

    /// Sends the same requests again and again for a time: connection `i` sends `requests[i % count]`.
    func run(_ requests: [[UInt8]], seconds: Double, expecting status: Int = 200) throws -> Run {
        let end = Clock.seconds() + seconds
        return try run { index, answer in
            if let answer, answer.status != status { throw Trouble(unexpected: answer) }
            return Clock.seconds() < end ? requests[index % requests.count] : nil
        }
    }
}

enum Clock {
    /// Seconds of a clock that is never set.
    static func seconds() -> Double { Double(DispatchTime.now().uptimeNanoseconds) / 1e9 }
}
