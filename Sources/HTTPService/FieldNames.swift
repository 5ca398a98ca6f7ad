package import HTTPTypes

extension HTTPField.Name {
    /// A caller's id for its request, and the one that answers and log lines carry; see `RequestID`.
    package static let requestID = HTTPField.Name("X-Request-Id")!
    /// Keeps addresses, which may hold a code or a key, out of `Referer`.
    package static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
    /// The caller's place in a trace (W3C Trace Context § 3.2).
    package static let traceparent = HTTPField.Name("traceparent")!
    /// Other tracing systems' places in it (W3C Trace Context § 3.3).
    package static let tracestate = HTTPField.Name("tracestate")!
    /// Sent by browsers with what they fetch ahead (Fetch, `Sec-Purpose`).
    package static let secPurpose = HTTPField.Name("Sec-Purpose")!
    /// The same, of older Chromium and Safari.
    package static let purpose = HTTPField.Name("Purpose")!
    /// The same, of older Safari: `preview`.
    package static let xPurpose = HTTPField.Name("X-Purpose")!
    /// The same, of older Firefox: `prefetch`.
    package static let xMoz = HTTPField.Name("X-Moz")!
    /// The part of a page that a browser fetches for (Fetch Metadata § 2.1).
    package static let secFetchDest = HTTPField.Name("Sec-Fetch-Dest")!
    /// The relation of the page that asks to the address it asks (Fetch Metadata § 2.3).
    package static let secFetchSite = HTTPField.Name("Sec-Fetch-Site")!
}
