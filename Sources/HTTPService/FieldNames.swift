package import HTTPTypes

extension HTTPField.Name {
    package static let requestID = HTTPField.Name("X-Request-Id")!
    package static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
    package static let traceparent = HTTPField.Name("traceparent")!
    package static let tracestate = HTTPField.Name("tracestate")!
    package static let secPurpose = HTTPField.Name("Sec-Purpose")!
    package static let purpose = HTTPField.Name("Purpose")!
    package static let xPurpose = HTTPField.Name("X-Purpose")!
    package static let xMoz = HTTPField.Name("X-Moz")!
    package static let secFetchDest = HTTPField.Name("Sec-Fetch-Dest")!
    package static let secFetchSite = HTTPField.Name("Sec-Fetch-Site")!
}
