/// The catalog's files as they are in `Data`, embedded in the binary.
enum BuiltInCatalog {
    static var files: [(name: String, bytes: [UInt8])] {
        [
            ("atlassian.yaml", PackageResources.atlassian_yaml),
            ("audio.yaml", PackageResources.audio_yaml),
            ("chat.yaml", PackageResources.chat_yaml),
            ("code.yaml", PackageResources.code_yaml),
            ("commerce.yaml", PackageResources.commerce_yaml),
            ("content.yaml", PackageResources.content_yaml),
            ("crm.yaml", PackageResources.crm_yaml),
            ("crm_sales.yaml", PackageResources.crm_sales_yaml),
            ("database.yaml", PackageResources.database_yaml),
            ("design.yaml", PackageResources.design_yaml),
            ("devices.yaml", PackageResources.devices_yaml),
            ("documents.yaml", PackageResources.documents_yaml),
            ("drive.yaml", PackageResources.drive_yaml),
            ("finance.yaml", PackageResources.finance_yaml),
            ("finance_accounting.yaml", PackageResources.finance_accounting_yaml),
            ("finance_banking.yaml", PackageResources.finance_banking_yaml),
            ("finance_payments.yaml", PackageResources.finance_payments_yaml),
            ("gaming.yaml", PackageResources.gaming_yaml),
            ("google.yaml", PackageResources.google_yaml),
            ("google_cloud.yaml", PackageResources.google_cloud_yaml),
            ("google_products.yaml", PackageResources.google_products_yaml),
            ("health.yaml", PackageResources.health_yaml),
            ("hr.yaml", PackageResources.hr_yaml),
            ("identity.yaml", PackageResources.identity_yaml),
            ("infrastructure.yaml", PackageResources.infrastructure_yaml),
            ("learning.yaml", PackageResources.learning_yaml),
            ("mail.yaml", PackageResources.mail_yaml),
            ("marketing.yaml", PackageResources.marketing_yaml),
            ("marketing_ads.yaml", PackageResources.marketing_ads_yaml),
            ("mcp.yaml", PackageResources.mcp_yaml),
            ("meetings.yaml", PackageResources.meetings_yaml),
            ("microsoft.yaml", PackageResources.microsoft_yaml),
            ("microsoft_identity.yaml", PackageResources.microsoft_identity_yaml),
            ("microsoft_office.yaml", PackageResources.microsoft_office_yaml),
            ("people.yaml", PackageResources.people_yaml),
            ("social.yaml", PackageResources.social_yaml),
            ("social_networks.yaml", PackageResources.social_networks_yaml),
            ("support.yaml", PackageResources.support_yaml),
            ("tasks.yaml", PackageResources.tasks_yaml),
            ("video.yaml", PackageResources.video_yaml),
            ("without_oauth.yaml", PackageResources.without_oauth_yaml),
            ("zoho.yaml", PackageResources.zoho_yaml),
            ("zoho_apps.yaml", PackageResources.zoho_apps_yaml),
            ("zoho_finance.yaml", PackageResources.zoho_finance_yaml),
            ("zoho_operations.yaml", PackageResources.zoho_operations_yaml),
            ("zoho_workplace.yaml", PackageResources.zoho_workplace_yaml),
        ]
    }

    /// The same as texts, to be read whole.
    static var texts: [(name: String, text: String)] {
        files.map { ($0.name, String(decoding: $0.bytes, as: UTF8.self)) }
    }
}
