/// A method of an HTTP request (RFC 9110 § 9) that providers ask for.
public enum RequestMethod: String, Sendable, Hashable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case delete = "DELETE"
}
