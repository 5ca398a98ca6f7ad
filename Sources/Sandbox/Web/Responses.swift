import HTTPTypes
import Hummingbird
import NIOCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension HTTPField.Name {
    static let crossOriginOpenerPolicy = Self("Cross-Origin-Opener-Policy")!
    static let referrerPolicy = Self("Referrer-Policy")!
    static let secFetchSite = Self("Sec-Fetch-Site")!
}

extension Response {
    /// A page, with the headers every page of the sandbox has.
    static func page(
        _ html: HTML, status: HTTPResponse.Status = .ok, policy: ContentPolicy, headers: HTTPFields = [:]
    ) -> Response {
        var headers = headers
        headers[.contentType] = "text/html; charset=utf-8"
        headers[.contentSecurityPolicy] = policy.text
        headers[.xContentTypeOptions] = "nosniff"
        headers[.referrerPolicy] = "no-referrer"
        headers[.cacheControl] = "no-store"
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: html.markup)))
    }

    /// A style sheet, script or picture that is part of the program.
    static func asset(_ bytes: [UInt8], type: String) -> Response {
        let headers: HTTPFields = [
            .contentType: type, .xContentTypeOptions: "nosniff", .cacheControl: "no-cache",
        ]
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// JSON that is not to be kept: it may hold a token.
    static func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var headers = headers
        headers[.contentType] = "application/json"
        headers[.cacheControl] = "no-store"
        headers[.xContentTypeOptions] = "nosniff"
        let body = ByteBuffer(bytes: Array(try encoder.encode(value)))
        return Response(status: status, headers: headers, body: .init(byteBuffer: body))
    }

    /// `302`, as most providers answer, or `303` inside the sandbox.
    static func redirect(
        _ location: String, status: HTTPResponse.Status, headers: HTTPFields = [:]
    ) -> Response {
        var headers = headers
        headers[.location] = location
        headers[.cacheControl] = "no-store"
        headers[.referrerPolicy] = "no-referrer"
        return Response(status: status, headers: headers)
    }
}

extension Request {
    /// The query's members.
    var queryFields: FormFields { FormFields(decoding: uri.query ?? "") }

    /// The body's members, or `nil` where it is no form or longer than any form here.
    func formFields() async -> FormFields? {
        guard headers[.contentType]?.lowercased().hasPrefix("application/x-www-form-urlencoded") == true,
            let body = try? await self.body.collect(upTo: 64 * 1024)
        else { return nil }
        return FormFields(decoding: String(buffer: body))
    }
}

/// The sources that a page may load from and send to: none but those named (Content Security Policy).
struct ContentPolicy: Sendable {
    let text: String

    init(_ additions: String...) {
        text = (["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"] + additions).joined(separator: "; ")
    }
}
