import Transport

/// Takes back the codings that a body went through (RFC 9110 § 8.4).
///
/// gzip and deflate are asked for and known. Others are passed over, and so is a known one that the body does not have:
/// servers name charsets there (`UTF-8`), the coding of an upload (`aws-chunked`), or one that a proxy has taken away
/// already, and the body reads as it is. Where it does not, whoever reads it says so. libcurl could unpack, but gives an
/// answer up whose coding it does not know, and cannot be told to take the body as it is.
enum ContentCoding {
    /// Codings in a row; nobody needs two.
    private static let most = 5

    /// - Parameters:
    ///   - fields: the header's, their names in lower case.
    ///   - cap: bytes, of each step.
    static func decoded(
        _ body: [UInt8], _ fields: [(name: String, value: String)], cap: Int
    ) throws(TransportError) -> [UInt8] {
        let codings = fields.filter { $0.name == "content-encoding" }
            .flatMap { $0.value.utf8.split(separator: UInt8(ascii: ",")) }
            .map { String(decoding: $0.filter { $0 > 0x20 }, as: UTF8.self).lowercased() }
        let known = codings.filter { ["gzip", "x-gzip", "deflate"].contains($0) }
        guard known.count <= most else { throw .malformedResponse }
        var body = body
        // RFC 9110 § 8.4: listed in the order in which they were applied.
        for coding in known.reversed() {
            body = try coding == "deflate" ? inflated(body, cap: cap) : gunzipped(body, cap: cap)
        }
        return body
    }

    /// RFC 1952 § 2.3.1: its first two bytes tell. Text never begins so.
    private static func gunzipped(_ body: [UInt8], cap: Int) throws(TransportError) -> [UInt8] {
        guard body.starts(with: [0x1F, 0x8B]) else { return body }
        guard let unpacked = try Inflation.unpacked(body, .wrapped, cap: cap) else { throw .malformedResponse }
        return unpacked
    }

    /// RFC 9110 § 8.4.1.2 means zlib's format, and notes that some send deflate without it.
    private static func inflated(_ body: [UInt8], cap: Int) throws(TransportError) -> [UInt8] {
        if let unpacked = try Inflation.unpacked(body, .wrapped, cap: cap) { return unpacked }
        return try Inflation.unpacked(body, .bare, cap: cap) ?? body
    }
}
