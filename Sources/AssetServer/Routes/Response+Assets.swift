import Formats
import HTTPService
import HTTPTypes
import Hummingbird

extension Response {
    /// JSON that is not to be kept. Throws where a number is none that JSON has.
    static func answer(
        _ value: JSONValue, _ status: HTTPResponse.Status = .ok, at location: String? = nil
    ) throws -> Response {
        var response = Response.json(try value.encoded())
        response.status = status
        if let location { response.headers[.location] = location }
        return response
    }

    /// 204.
    static var done: Response { Response(status: .noContent, headers: [.cacheControl: "no-store"]) }
}
