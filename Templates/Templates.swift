/// The pages a person sees, and the helper that frontends import, as they lie in `Pages`.
///
/// They are part of the binary, so that a broker without files still has its pages.
public enum Templates {
    // Mustache templates. Each is given `style` and its own script below.

    /// The page at the end of a flow that succeeded.
    public static let success = text(PackageResources.success_mustache)
    /// The page at the end of a flow that failed; it stays, so that it can be read.
    public static let failure = text(PackageResources.failure_mustache)
    /// The first page of a popup: it binds the flow to the browser and goes on to the provider.
    public static let popup = text(PackageResources.popup_mustache)
    public static let again = text(PackageResources.again_mustache)

    /// The style of all pages.
    public static let style = text(PackageResources.page_css)

    /// Hands the credential key to the window that began the flow.
    public static let successScript = text(PackageResources.success_js)
    /// Tells the window that began the flow what went wrong.
    public static let failureScript = text(PackageResources.failure_js)
    /// Waits until the opener names the flow, then leaves for the provider.
    public static let popupScript = text(PackageResources.popup_js)
    public static let againScript = text(PackageResources.again_js)

    /// The frontend helper, an ES module that the broker serves.
    public static let connect = text(PackageResources.connect_js)
    /// The helper's TypeScript declarations.
    public static let connectTypes = text(PackageResources.connect_d_ts)

    /// The words of the pages: for each language (RFC 5646 § 2.1) one JSON object of strings. The first is the
    /// fallback.
    public static let locales: [(language: String, json: String)] = [
        ("en", text(PackageResources.en_json)),
        ("de", text(PackageResources.de_json)),
        ("fr", text(PackageResources.fr_json)),
        ("es", text(PackageResources.es_json)),
        ("ja", text(PackageResources.ja_json)),
    ]

    private static func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self)
    }
}
