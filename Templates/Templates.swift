/// The pages a person sees, and the helper that frontends import, as they lie in `Pages`.
///
/// They are part of the binary, so that a broker without files still has its pages.
public enum Templates {
    // Mustache templates. Each is given `style` and its own script below.
    public static let success = text(PackageResources.success_mustache)
    public static let failure = text(PackageResources.failure_mustache)
    public static let popup = text(PackageResources.popup_mustache)
    public static let again = text(PackageResources.again_mustache)

    /// The style of all pages.
    public static let style = text(PackageResources.page_css)

    public static let successScript = text(PackageResources.success_js)
    public static let failureScript = text(PackageResources.failure_js)
    public static let popupScript = text(PackageResources.popup_js)
    public static let againScript = text(PackageResources.again_js)

    /// The frontend helper, an ES module, and its TypeScript declarations.
    public static let connect = text(PackageResources.connect_js)
    public static let connectTypes = text(PackageResources.connect_d_ts)

    /// The words of the pages: for each language (RFC 5646) one JSON object of strings. The first is the fallback.
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
