import HTTPTypes
import Hummingbird
import NIOCore

/// The answers of the token endpoint that hold no tokens because a behaviour asks for that.
enum TokenFailure {
    /// The connection ends here on purpose.
    struct HungUp: Error {}

    /// The failure that these behaviours ask for. Of several, the one that a broker would meet first wins.
    static func response(_ behaviours: Set<Behaviour>) throws -> Response? {
        if behaviours.contains(.disconnect) { return hangUp() }
        if behaviours.contains(.serverError) {
            return text("Sandbox: the server is having a bad day.\n", type: "text/plain", status: .internalServerError)
        }
        if behaviours.contains(.unknownCode) { return try OAuthError(.invalidGrant, "the code is unknown").response() }
        if behaviours.contains(.errorInOK) {
            let error = OAuthError(.invalidRequest, "status 200, and yet it failed")
            return try error.response(status: .ok)
        }
        if behaviours.contains(.htmlInOK) {
            return text(
                "<!doctype html><title>Sandbox</title><p>Down for maintenance.\n", type: "text/html", status: .ok)
        }
        if behaviours.contains(.hugeAnswer) { return hugeAnswer() }
        return nil
    }

    private static func text(_ text: String, type: String, status: HTTPResponse.Status) -> Response {
        Response(status: status, headers: [.contentType: type], body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    private static func hangUp() -> Response {
        let headers: HTTPFields = [.contentType: "application/json"]
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody(contentLength: 400) { writer in
                try await writer.write(ByteBuffer(string: #"{"access_token": "sbx_acc"#))
                throw HungUp()
            })
    }

    private static func hugeAnswer() -> Response {
        var body = ByteBuffer(string: #"{"access_token": ""#)
        body.writeRepeatingByte(UInt8(ascii: "a"), count: 2 * 1024 * 1024)
        body.writeString(#"", "token_type": "Bearer"}"#)
        return Response(status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: body))
    }
}
