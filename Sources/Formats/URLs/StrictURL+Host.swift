extension StrictURL {
    /// Host and port as browsers write them.
    package var authority: String {
        String(origin.description.split(separator: "/", maxSplits: 2).last ?? "")
    }

    /// The host in small letters, without the port; IPv6 in brackets.
    package var host: String {
        let authority = authority
        let end = authority.hasPrefix("[") ? authority.firstIndex(of: "]").map { authority.index(after: $0) } : nil
        return String(authority[..<(end ?? authority.firstIndex(of: ":") ?? authority.endIndex)])
    }

    /// Tells whether a part of the path is `.` or `..`, also with percent signs: libraries and servers make another path
    /// of it (RFC 3986 § 5.2.4), so that it is not the one that is compared.
    package var hasDotSegments: Bool {
        let path = rest.utf8.prefix { $0 != UInt8(ascii: "?") }
        return path.split(separator: UInt8(ascii: "/")).contains { segment in
            let text = String(decoding: segment, as: UTF8.self).lowercased().replacing("%2e", with: ".")
            return text == "." || text == ".."
        }
    }
}
