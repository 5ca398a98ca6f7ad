import Formats
import HTTPTypes
package import Hummingbird

extension Request {
    /// The query's parameters.
    package var query: QueryParameters { QueryParameters(uri.query) }

    /// Tells whether a browser only fetches ahead, or fetches a part of some page, so that nothing may be spent on it.
    package var isPrefetch: Bool {
        let purposes = [headers[.secPurpose], headers[.purpose], headers[.xPurpose], headers[.xMoz]]
        if purposes.contains(where: { HeaderValue.mentions("prefetch", $0) || HeaderValue.mentions("preview", $0) }) {
            return true
        }
        // A navigation has `document` or a frame, and a script's own request `empty` (Fetch Metadata § 2.1).
        return headers[.secFetchDest].map { Self.partsOfPages.contains(exactly: $0) } ?? false
    }

    private static let partsOfPages = [
        "audio", "audioworklet", "embed", "font", "image", "manifest", "object", "paintworklet", "script",
        "serviceworker", "sharedworker", "style", "track", "video", "worker",
    ]

    /// The first value of a cookie.
    package func cookie(_ name: String) -> String? {
        for line in headers[values: .cookie] {
            if let value = HeaderValue.cookie(name, in: line) { return value }
        }
        return nil
    }
}
