package import Formats
package import StrictYAML

/// The pages of other origins that may call the service.
extension ConfigurationReader {
    /// The words for what `origins` has to have in it.
    package static var wantedOrigins: String {
        "origins such as https://app.example.com or https://*.previews.example.com: no path, no slash at the end"
    }

    /// The patterns of `origins` in a section, each once; `nil` where it is absent or no list.
    ///
    /// - Parameter reach: the power of each page at a name with `*`, for a remark: what it may do, in words.
    package func origins(_ section: YAMLReader, reach: String) -> [OriginPattern]? {
        guard let texts = section.strings("origins") else { return nil }
        var origins: [OriginPattern] = []
        for text in texts {
            guard let origin = OriginPattern(text) else {
                section.problem("origins", found: text.quoted, wanted: Self.wantedOrigins)
                continue
            }
            if origin.origin == nil {
                notes.remarks.append(
                    "\((section.path + ["origins"]).joined(separator: ".")) has \(text): every page at such a name "
                        + "\(reach); all of these names must be yours to give out")
            }
            if !origins.contains(origin) { origins.append(origin) }
        }
        return origins
    }
}
