import CurlTransport
import Formats
import Transport

/// Fetches a drive's files by the transport that the asset service uses, and does nothing with them.
struct Fetching {
    let port: UInt16
    /// Requests at once.
    let places: Int

    private let transport = CurlTransport(
        configuration: .init(allowInsecure: true, allowPrivateAddresses: true, userAgent: "CloakroomAssets"))

    init(port: UInt16, places: Int) {
        self.port = port
        self.places = places
    }

    /// Files a second.
    func fetch(_ count: Int) async throws -> Double {
        let began = Clock.seconds()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for place in 0..<places {
                group.addTask {
                    for number in stride(from: place, to: count, by: places) { try await fetch(number: number) }
                }
            }
            try await group.waitForAll()
        }
        return Double(count) / (Clock.seconds() - began)
    }

    private func fetch(number: Int) async throws {
        let request = TransportRequest(
            method: .get, url: "http://127.0.0.1:\(port)" + Drive.path(of: number),
            headers: [("user-agent", "CloakroomAssets"), ("authorization", "Bearer " + AssetCalls.sourceToken)])
        let answer = try await transport.send(request)
        guard answer.status == 200, answer.body.count == Drive.fileSize else {
            throw Trouble("the drive answered \(answer.status) with \(answer.body.count) bytes")
        }
    }
}
