extension StrictURL {
    /// The host in small letters, without the port; IPv6 in brackets.
    package var host: String {
        let authority = origin.description.split(separator: "/", maxSplits: 2).last ?? ""
        let end = authority.hasPrefix("[") ? authority.firstIndex(of: "]").map { authority.index(after: $0) } : nil
        return String(authority[..<(end ?? authority.firstIndex(of: ":") ?? authority.endIndex)])
    }
}
