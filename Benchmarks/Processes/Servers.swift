import Foundation

/// A `cloakroom serve` or `cloakroom-assets serve` that answers.
struct RunningService {
    let process: Child
    let port: UInt16
    let database: String
    /// Seconds from its start to the first 200 of `readyz`.
    let readyAfter: Double

    /// - Parameter port: in place of the installation's, where several serve with it.
    init(_ binary: String, _ installation: Installation, port: UInt16? = nil) throws {
        let began = Clock.seconds()
        self.port = port ?? installation.port
        process = try Child(
            [binary, "serve", "--config", installation.configuration], log: installation.log,
            settings: ["CLOAKROOM_HTTP_PORT": "\(self.port)"])
        database = installation.database
        do {
            try process.waitForAnswer(at: self.port, path: "/readyz", every: 500)
        } catch {
            let log = (try? String(contentsOfFile: installation.log, encoding: .utf8)) ?? ""
            throw Trouble("\(error); its log: \(log.suffix(500))")
        }
        readyAfter = Clock.seconds() - began
    }
}

/// One of this program's own servers, in a process of its own.
struct OwnServer {
    let process: Child
    let port: UInt16

    init(_ name: String, checkedAt path: String, in folder: String) throws {
        port = try Sockets.freePort()
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        process = try Child(
            [program, name, "--port", "\(port)"], log: "\(folder)/\(name).log", settings: ["LOG_LEVEL": "critical"])
        try process.waitForAnswer(at: port, path: path, every: 5000)
    }
}

extension Child {
    /// Waits until a GET is answered, at most ten seconds.
    /// - Parameter pause: microseconds between two attempts to connect.
    func waitForAnswer(at port: UInt16, path: String, every pause: UInt32) throws {
        let began = Clock.seconds()
        while Clock.seconds() - began < 10 {
            guard isRunning else { throw Trouble("process \(pid) ended at once") }
            guard let descriptor = try Sockets.connect(to: port) else {
                usleep(pause)
                continue
            }
            let connection = Connection(descriptor)
            try Sockets.send(Requests.get(path), to: descriptor)
            var status = 0
            while status == 0, try connection.receive({ status = $0.status }) {}
            if (200..<500).contains(status) { return }
            usleep(pause)
        }
        throw Trouble("process \(pid) does not answer at port \(port)")
    }
}
