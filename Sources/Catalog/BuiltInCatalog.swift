/// The catalog's files as they are in `Data`, embedded in the binary.
enum BuiltInCatalog {
    static var files: [(name: String, text: String)] {
        [
            ("atlassian.yaml", PackageResources.atlassian_yaml),
            ("chat.yaml", PackageResources.chat_yaml),
            ("code.yaml", PackageResources.code_yaml),
            ("content.yaml", PackageResources.content_yaml),
            ("crm.yaml", PackageResources.crm_yaml),
            ("design.yaml", PackageResources.design_yaml),
            ("drive.yaml", PackageResources.drive_yaml),
            ("finance.yaml", PackageResources.finance_yaml),
            ("google.yaml", PackageResources.google_yaml),
            ("marketing.yaml", PackageResources.marketing_yaml),
            ("mcp.yaml", PackageResources.mcp_yaml),
            ("meetings.yaml", PackageResources.meetings_yaml),
            ("microsoft.yaml", PackageResources.microsoft_yaml),
            ("people.yaml", PackageResources.people_yaml),
            ("social.yaml", PackageResources.social_yaml),
            ("support.yaml", PackageResources.support_yaml),
            ("tasks.yaml", PackageResources.tasks_yaml),
            ("without_oauth.yaml", PackageResources.without_oauth_yaml),
            ("zoho.yaml", PackageResources.zoho_yaml),
        ].map { ($0.0, String(decoding: $0.1, as: UTF8.self)) }
    }
}
