import HTTPTypes
public import Hummingbird
import NIOCore

extension Simulator {
    /// Serves the simulator on a socket: `/https/accounts.google.com/o/oauth2/auth` is played as that address is.
    public nonisolated func application(
        configuration: ApplicationConfiguration = .init(address: .hostname("127.0.0.1", port: 0))
    ) -> some ApplicationProtocol {
        let responder = CallbackResponder<BasicRequestContext> { request, _ in try await self.respond(to: request) }
        return Application(responder: responder, configuration: configuration)
    }

    private nonisolated func respond(to request: Request) async throws -> Response {
        let path = request.head.path ?? "/"
        let parts = path.dropFirst().split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == "https" || parts[0] == "http" else {
            return Response(status: .notFound)
        }
        let body = try await request.body.collect(upTo: 64 * 1024)
        let answer = await answer(
            SimulatedRequest(
                method: request.method.rawValue, url: "\(parts[0])://\(parts[1])",
                headers: request.headers.map { ($0.name.rawName, $0.value) }, body: Array(buffer: body)))
        var headers = HTTPFields()
        for (name, value) in answer.headers {
            if let name = HTTPField.Name(name) { headers.append(HTTPField(name: name, value: value)) }
        }
        headers[.cacheControl] = "no-store"
        return Response(
            status: .init(code: answer.status), headers: headers,
            body: .init(byteBuffer: ByteBuffer(string: answer.body)))
    }
}
