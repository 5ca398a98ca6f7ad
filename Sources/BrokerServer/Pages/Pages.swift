import Broker
import Formats
import Foundation
import HTTPService
import HTTPTypes
import Hummingbird
import Mustache
import NIOCore
import Secrets
import Templates

/// The pages that people see, in their language, each with a policy that allows exactly its own style and script.
struct Pages: Sendable {
    private struct Page {
        let template: MustacheTemplate
        let script: String
        let policy: String
    }

    private let success: Page
    private let failure: Page
    private let popup: Page
    private let again: Page
    private let languages: [(name: String, text: [String: String])]
    private let base: String

    init(base: String) throws {
        self.base = base
        success = try Self.page(Templates.success, script: Templates.successScript)
        failure = try Self.page(Templates.failure, script: Templates.failureScript)
        popup = try Self.page(Templates.popup, script: Templates.popupScript)
        again = try Self.page(Templates.again, script: Templates.againScript, formAction: "'self'")
        languages = try Templates.locales.map { locale in
            (locale.language, try StrictJSON.value(Array(locale.json.utf8)).decoded(as: [String: String].self))
        }
    }

    private static func page(_ template: String, script: String, formAction: String = "'none'") throws -> Page {
        MustacheContentTypes.register(ScalarHTML(), named: ScalarHTML.name)
        return Page(
            template: try MustacheTemplate(string: "{{% CONTENT_TYPE: \(ScalarHTML.name)}}\n" + template),
            script: script,
            policy: [
                "default-src 'none'",
                "style-src 'sha256-\(hash(Templates.style))'",
                "script-src 'sha256-\(hash(script))'",
                "connect-src 'self'",
                "base-uri 'none'",
                "form-action \(formAction)",
                "frame-ancestors 'none'",
            ].joined(separator: "; "))
    }

    private static func hash(_ text: String) -> String {
        Data(Digest(of: text).bytes).base64EncodedString()
    }

    func successPage(_ request: Request) -> Response { render(success, to: request) }

    func popupPage(_ request: Request) -> Response { render(popup, to: request) }

    /// The query by which a callback that comes from the page of `againPage` is known.
    static let again = "again"

    /// Posts what was posted here once more, from a page of this site, so that the browser adds the flow's cookie. In
    /// no address: those are logged, and kept in the history.
    func againPage(_ fields: [(name: String, value: String)], _ request: Request) -> Response {
        render(again, to: request, with: ["fields": fields.map { ["name": $0.name, "value": $0.value] }])
    }

    /// The contents of a failure page. All of it is escaped by the template.
    struct Failure {
        var status: HTTPResponse.Status
        var code: String
        /// The provider's words: hostile text.
        var description: String?
        /// The origin that the page's script tells of the failure. Empty where the state was not sound: none is told
        /// then.
        var frontendOrigin = ""
        var flow = ""
        var requestID: String
    }

    func failurePage(_ failure: Failure, _ request: Request) -> Response {
        let text = language(request).text
        let known = text["failure_\(failure.code)_title"] == nil ? "other" : failure.code
        return render(
            self.failure, failure.status, to: request,
            with: [
                "code": failure.code, "description": failure.description ?? "",
                "frontendOrigin": failure.frontendOrigin, "flow": failure.flow, "requestId": failure.requestID,
                "title": text["failure_\(known)_title"] ?? "", "help": text["failure_\(known)_help"] ?? "",
            ])
    }

    private func render(
        _ page: Page, _ status: HTTPResponse.Status = .ok, to request: Request, with values: [String: Any] = [:]
    ) -> Response {
        let language = language(request)
        var context = values
        context["lang"] = language.name
        context["text"] = language.text
        context["style"] = Templates.style
        context["script"] = page.script
        context["base"] = base
        return Response(
            status: status,
            headers: [
                .contentType: "text/html; charset=utf-8",
                .contentLanguage: language.name,
                .cacheControl: "no-store",
                .vary: "Accept-Language",
                .contentSecurityPolicy: page.policy,
                .crossOriginResourcePolicy: "same-origin",
            ],
            body: .init(byteBuffer: ByteBuffer(string: page.template.render(context))))
    }

    /// The first language that the browser asks for and we have (RFC 9110 § 12.5.4), else the first we have.
    private func language(_ request: Request) -> (name: String, text: [String: String]) {
        for wanted in HeaderValue.languages(request.headers[.acceptLanguage] ?? "") {
            if let found = languages.first(where: { $0.name == wanted }) { return found }
        }
        return languages.first ?? ("en", [:])
    }
}

/// Escapes text for HTML scalar by scalar.
///
/// The library's own escaping goes by grapheme: a `<` after U+0600, or a `"` before U+0301, is part of a longer
/// character to it, and would pass as it is.
private struct ScalarHTML: MustacheContentType {
    static let name = "SCALAR_HTML"

    func escapeText(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "&": escaped += "&amp;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
