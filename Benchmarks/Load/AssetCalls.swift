import Foundation

/// Calls of the asset service, as its clients make them.
struct AssetCalls {
    /// Of the source; the drive takes any.
    static let sourceToken = "source-token"

    let port: UInt16
    /// A caller's.
    let token: String

    /// The result of following an operation.
    struct Followed {
        let operation: Operation
        /// From the first question to the answer that it is done.
        let seconds: Double
        /// Questions that were answered.
        let polls: Int

        var pollsPerSecond: Double { Double(polls) / seconds }
    }

    /// An operation, as the service tells it.
    struct Operation: Decodable {
        let id: String
        let assetId: String
        let status: String
        let itemsProcessed: Int
        let itemsFailed: Int
        let chunkCount: Int
        let errorMessage: String?
    }

    private struct Made: Decodable { let operation: Operation }

    // MARK: making

    /// Has `count` files of the drive ingested.
    func ingest(_ count: Int) throws -> Operation {
        let body = """
            {"config":{"sourceType":"google_drive","parameters":{"folderId":"folder-\(count)"}},\
            "auth":{"accessToken":"\(Self.sourceToken)"}}
            """
        return try make("assets", Array(body.utf8), type: "application/json")
    }

    /// Uploads a file of plain text.
    func upload(_ text: [UInt8]) throws -> Operation {
        let head = """
            --bench\r
            Content-Disposition: form-data; name="File"; filename="large.txt"\r
            Content-Type: text/plain\r
            \r

            """
        return try make(
            "assets:file", Array(head.utf8) + text + Array("\r\n--bench--\r\n".utf8),
            type: "multipart/form-data; boundary=bench")
    }

    private func make(_ path: String, _ body: [UInt8], type: String) throws -> Operation {
        let fields = ["Content-Type: \(type)", "Content-Length: \(body.count)"]
        let request = head("POST", path, fields) + body
        var made: Made?
        var hasSent = false
        _ = try Load(port: port, connections: 1).run { _, answer in
            if let answer {
                guard answer.status == 201 else { throw Trouble(unexpected: answer) }
                made = try JSONDecoder().decode(Made.self, from: Data(answer.body))
            }
            defer { hasSent = true }
            return hasSent ? nil : request
        }
        guard let made else { throw Trouble("no answer") }
        return made.operation
    }

    private func head(_ method: String, _ path: String, _ fields: [String] = []) -> [UInt8] {
        let lines = [
            "\(method) /v1/tenants/\(Callers.tenant)/\(path) HTTP/1.1", "Host: 127.0.0.1",
            "Authorization: Bearer \(token)",
        ]
        return Array((lines + fields + ["", ""]).joined(separator: "\r\n").utf8)
    }

    // MARK: following

    /// Asks how far an operation is until it is done, `rate` times a second. Throws unless it is COMPLETED.
    func follow(_ operation: Operation, rate: Double) throws -> Followed {
        let request = head("GET", "assets/\(operation.assetId)/operations/\(operation.id)")
        var poller = Poller()
        var connections: [Int: Connection] = [:]
        // The one that was used last is used next: the server closes those that nobody uses.
        var free: [Int] = []
        let began = Clock.seconds()
        var (asked, answered) = (0, 0)
        var last: Operation?
        while last == nil {
            let elapsed = Clock.seconds() - began
            guard elapsed < 300 else { throw Trouble("no end after 300 s") }
            while Double(asked) <= elapsed * rate, !free.isEmpty || connections.count < Self.mostConnections {
                let tag = try free.popLast() ?? connect(&connections, &poller)
                guard let connection = connections[tag] else { continue }
                try Sockets.send(request, to: connection.descriptor)
                asked += 1
            }
            let rest = Double(asked) / rate - (Clock.seconds() - began)
            for tag in poller.wait(milliseconds: Int32(max(rest * 1000, 0).rounded(.up))) {
                guard let connection = connections[tag] else { continue }
                let isOpen = try connection.receive { answer in
                    guard answer.status == 200 else { throw Trouble(unexpected: answer) }
                    free.append(tag)
                    answered += 1
                    guard answer.body.position(of: #""done":true"#) != nil else { return }
                    last = try JSONDecoder().decode(Operation.self, from: Data(answer.body))
                }
                guard !isOpen else { continue }
                guard let index = free.firstIndex(of: tag) else { throw Trouble("the server closed a connection") }
                free.remove(at: index)
                poller.remove(tag: tag)
                connections[tag] = nil
            }
        }
        let seconds = Clock.seconds() - began
        guard let last, last.status == "COMPLETED", last.itemsFailed == 0 else {
            throw Trouble("the operation is \(last?.status ?? "-"): \(last?.errorMessage ?? "-")")
        }
        return Followed(operation: last, seconds: seconds, polls: answered)
    }

    private static let mostConnections = 32

    private func connect(_ connections: inout [Int: Connection], _ poller: inout Poller) throws -> Int {
        guard let descriptor = try Sockets.connect(to: port) else { throw Trouble("nobody listens at \(port)") }
        connections[Int(descriptor)] = Connection(descriptor)
        poller.add(descriptor, tag: Int(descriptor))
        return Int(descriptor)
    }
}
