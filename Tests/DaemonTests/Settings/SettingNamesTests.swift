import Daemon
import Testing

/// The names of a program's settings, whichever program it is.
@Suite struct SettingNamesTests {
    private let names = SettingNames(
        program: "cloak-check", all: ["http.port", "http.baseURL", "keyFile", "pages"], lists: ["pages"],
        families: [
            SettingNames.Family("clients", members: ["id", "keyFile"], open: "values"),
            SettingNames.Family(
                "sites", members: ["pages"], areLists: true, spelling: .init(noun: "site", setting: "pages")),
        ], others: ["CLOAK_CHECK_TOKEN", "CLOAK_CHECK_EXTRA_"])

    private let folder: Folder

    init() throws { folder = try Folder() }

    @Test(arguments: [
        ("http.port", "CLOAK_CHECK_HTTP_PORT"), ("http.baseURL", "CLOAK_CHECK_HTTP_BASE_URL"),
        ("keyFile", "CLOAK_CHECK_KEY_FILE"),
    ])
    func `a variable is the program's name and the setting's`(_ setting: String, _ variable: String) {
        #expect(names.variable(setting) == variable)
        #expect(names.path(of: variable)?.joined(separator: ".") == setting)
    }

    @Test(
        arguments: [
            ("CLOAK_CHECK_CLIENTS_WIKI_ID", "clients.wiki.id"),
            ("CLOAK_CHECK_CLIENTS_WIKI_KEY_FILE", "clients.wiki.keyFile"),
            ("CLOAK_CHECK_CLIENTS_WIKI_VALUES_SITE_NAME", "clients.wiki.values.site_name"),
            ("CLOAK_CHECK_SITES_A_B_PAGES", "sites.A_B.pages"),
            ("CLOAK_CHECK_CLIENTS_ID", nil), ("CLOAK_CHECK_CLIENTS_WIKI_VALUES_", nil),
            ("CLOAK_CHECK_SITES_PAGES", nil),
            ("CLOAK_CHECK_HTTP", nil), ("CLOAK_HTTP_PORT", nil),
        ] as [(String, String?)])
    func `below names of the operator's the members are known`(_ variable: String, _ place: String?) {
        #expect(names.path(of: variable)?.joined(separator: ".") == place)
    }

    /// The port that the settings have, and the remarks on how they were read.
    private func read(_ environment: [String: String]) throws -> (port: String?, pages: [String]?, remarks: [String]) {
        try folder.write("check.yaml", "http: { port: 1 }\n")
        return try ConfigurationReader.read(names, file: folder.path("check.yaml"), environment: environment) {
            reader in
            let http = reader.section("http")
            defer { http.finish() }
            return (http.string("port"), reader.settings.top.strings("pages"), reader.notes.remarks)
        }
    }

    @Test func `the environment wins, with lists in commas`() throws {
        let found = try read(["CLOAK_CHECK_HTTP_PORT": "2", "CLOAK_CHECK_PAGES": "a, b"])
        #expect(found.port == "2" && found.pages == ["a", "b"] && found.remarks == [])
    }

    @Test func `variables of others are passed over silently`() throws {
        let found = try read([
            "CLOAK_CHECK_TOKEN": "t", "CLOAK_CHECK_EXTRA_HTTP_PORT": "2", "CLOAK_CHECKER": "x", "HOME": "/",
        ])
        #expect(found.port == "1" && found.remarks == [])
    }

    @Test func `a misspelt variable is remarked with what was meant`() throws {
        let found = try read(["CLOAK_CHECK_HTTP_PROT": "2"])
        #expect(found.port == "1" && found.remarks.count == 1)
        #expect(found.remarks.first?.contains("did you mean \"CLOAK_CHECK_HTTP_PORT\"?") == true)
    }

    @Test func `an orchestrator's variables are one remark, with the program's name`() throws {
        let found = try read(["CLOAK_CHECK_SERVICE_HOST": "10.0.0.1", "CLOAK_CHECK_HTTP_PORT": "tcp://10.0.0.1:80"])
        #expect(found.port == "1" && found.remarks.count == 1)
        #expect(found.remarks.first?.contains("a service called cloak-check;") == true)
    }
}
