/// The catalog's files as they are in `Data`, embedded in the binary.
enum BuiltInCatalog {
    static var files: [(name: String, text: String)] {
        [
            ("atlassian.yaml", PackageResources.atlassian_yaml),
            ("code.yaml", PackageResources.code_yaml),
            ("collaboration.yaml", PackageResources.collaboration_yaml),
            ("customers.yaml", PackageResources.customers_yaml),
            ("drive.yaml", PackageResources.drive_yaml),
            ("google.yaml", PackageResources.google_yaml),
            ("microsoft.yaml", PackageResources.microsoft_yaml),
            ("uploads.yaml", PackageResources.uploads_yaml),
        ].map { ($0.0, String(decoding: $0.1, as: UTF8.self)) }
    }
}
