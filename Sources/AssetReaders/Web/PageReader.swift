import Assets
import Formats
import Transport

/// Reads one page as a document.
struct PageReader: Sendable {
    let web: WebClient
    let types: SupportedTypes
    /// In bytes.
    let longest: Int

    enum Reading: Sendable {
        /// A page of a type that is read.
        case page(TransportResponse, contentType: String, charset: String?, at: WebAddress, isForNow: Bool)
        /// What it was at the version that was asked about.
        case notModified
        /// No document, and the fault that it is where it is all that there is to read.
        case none(SourceFault)
        /// It may be a document, but may not be read for now.
        case closed(why: String)
    }

    func read(_ address: WebAddress, since version: PageVersion?) async throws(SourceFault) -> Reading {
        switch try await web.get(address, headers: version?.conditions ?? []) {
        case .closed(let closure):
            let host = closure.address.url.host
            return closure.isForNow
                ? .closed(why: "robots.txt of \(host) cannot be read, which closes this address for now")
                : .none(.addressRefused("robots.txt of \(host) closes this address"))
        case .response(let response, let final, let isForNow):
            return try reading(of: response, at: final, isForNow: isForNow, since: version)
        }
    }

    private func reading(
        of response: TransportResponse, at final: WebAddress, isForNow: Bool, since version: PageVersion?
    ) throws(SourceFault) -> Reading {
        switch response.status {
        case 200..<300: break
        // Only who asked for it may be told so (RFC 9110 § 15.4.5).
        case 304 where version?.validators != nil: return .notModified
        case 404, 410: return .none(.refused(by: final.url.host, response.status))
        default: throw .refused(by: final.url.host, response.status)
        }
        let header = ContentType(response.header("content-type"))
        let type = types.contentType(declared: header.mediaType, fileName: FileName.last(of: final))
        guard let type else {
            return .none(
                .rejected(
                    "\(final.url.host) answered with a type that is not read: \((header.mediaType ?? "none").quoted)"))
        }
        guard response.body.count <= longest else { throw .tooLarge }
        return .page(response, contentType: type, charset: header.charset, at: final, isForNow: isForNow)
    }
}
