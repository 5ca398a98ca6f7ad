import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing

@testable import Sandbox

struct AuthorizationEndpointTests {
    /// Signs in as somebody and gives the consent page and its cookie.
    private func consentPage(
        _ visitor: Visitor, as account: String = "grace", _ changes: KeyValuePairs<String, String?> = [:],
        path: String = "/authorize"
    ) async throws -> (page: TestResponse, cookie: String) {
        let login = try await visitor.authorize(changes, path: path)
        #expect(login.text.contains("Sign in"))
        let form = FormFields([
            "form_token": try login.hidden("form_token"), "path": try login.hidden("path"),
            "query": try login.hidden("query"), "account": account,
        ])
        let signedIn = try await visitor.post("/login", form, headers: [.cookie: try #require(login.cookie)])
        #expect(signedIn.status == .seeOther)
        let location = try #require(signedIn.headers[.location])
        #expect(location.hasPrefix(providerURL + path + "?"))
        let cookie = try #require(signedIn.cookie)
        #expect(cookie != login.cookie)
        let address = String(location.dropFirst(providerURL.count))
        let page = try await visitor.client.execute(uri: address, method: .get, headers: [.cookie: cookie])
        return (page, cookie)
    }

    private func consentForm(_ page: TestResponse, _ members: KeyValuePairs<String, String>) throws -> FormFields {
        var form = FormFields(members)
        for name in ["form_token", "path", "query"] { form.append(name, try page.hidden(name)) }
        return form
    }

    @Test func `who signs in and allows brings a code that opens their account`() async throws {
        try await Visitor.visiting { visitor in
            let (page, cookie) = try await consentPage(visitor)
            #expect(page.text.contains("Grace Hopper"))
            #expect(page.text.contains("files.read"))
            let form = try consentForm(page, ["decision": "allow"])
            let response = try await visitor.post("/consent", form, headers: [.cookie: cookie])
            #expect(response.status == .found)
            #expect(response.headers[.location]?.hasPrefix(callback + "?") == true)
            #expect(response.sentBack["state"] == "st&te=")
            #expect(response.sentBack["iss"] == providerURL)
            let tokens = try await visitor.exchange(try #require(response.sentBack["code"]))
            let me = try await visitor.me(try #require(try tokens.member("access_token")))
            #expect(try me.member("name") == "Grace Hopper")
        }
    }

    @Test(arguments: [["decision": "deny"], [:]])
    func `only Allow gives a code`(members: [String: String]) async throws {
        try await Visitor.visiting { visitor in
            let (page, cookie) = try await consentPage(visitor)
            var form = try consentForm(page, [:])
            for (name, value) in members { form.append(name, value) }
            let response = try await visitor.post("/consent", form, headers: [.cookie: cookie])
            #expect(response.sentBack["error"] == "access_denied")
            #expect(response.sentBack["error_description"] == "Grace Hopper said no")
            #expect(response.sentBack["code"] == nil)
        }
    }

    @Test func `every behaviour has a switch and preselected ones are on`() async throws {
        try await Visitor.visiting { visitor in
            let (page, _) = try await consentPage(visitor, ["sandbox_behaviour": "slow,form"])
            for behaviour in Behaviour.allCases {
                let checked = [.slow, .formEncoded].contains(behaviour) ? " checked" : ""
                #expect(page.text.contains("name=\"behaviour\" value=\"\(behaviour.rawValue)\"\(checked)>"))
            }
        }
    }

    @Test func `the switches replace what was preselected`() async throws {
        try await Visitor.visiting { visitor in
            let (page, cookie) = try await consentPage(visitor, ["sandbox_behaviour": "server_error"])
            let form = try consentForm(page, ["decision": "allow", "behaviour": "form", "behaviour": "no_iss"])
            let response = try await visitor.post("/consent", form, headers: [.cookie: cookie])
            #expect(response.sentBack["iss"] == nil)
            let tokens = try await visitor.exchange(try #require(response.sentBack["code"]))
            #expect(tokens.status == .ok)
            #expect(tokens.headers[.contentType] == "application/x-www-form-urlencoded")
        }
    }

    @Test(arguments: ["/login", "/logout", "/consent"])
    func `a form without this browser's token is refused`(path: String) async throws {
        try await Visitor.visiting { visitor in
            let (page, cookie) = try await consentPage(visitor)
            let (foreign, _) = try await consentPage(visitor)
            let good = try consentForm(page, ["decision": "allow", "account": "ada"])
            let forged = try consentForm(foreign, ["decision": "allow", "account": "ada"])
            let missing = FormFields(["decision": "allow", "account": "ada"])
            let attempts: [(FormFields, HTTPFields)] = [
                (forged, [.cookie: cookie]), (missing, [.cookie: cookie]), (good, [:]),
                (good, [.cookie: "sandbox_session=guessed"]),
            ]
            for (form, headers) in attempts {
                let response = try await visitor.post(path, form, headers: headers)
                #expect(response.cookie == nil)
                if path == "/login", headers[.cookie] == cookie, form["query"] != nil {
                    // Somebody is signed in here: their own page is shown again.
                    #expect(response.headers[.location]?.hasPrefix(providerURL + "/authorize?") == true)
                } else {
                    #expect(response.status == .forbidden)
                    #expect(response.headers[.location] == nil)
                }
            }
        }
    }

    @Test func `of two windows the second goes on as the account of the first`() async throws {
        try await Visitor.visiting { visitor in
            let first = try await visitor.authorize()
            let second = try await visitor.client.execute(
                uri: "/authorize?" + (try first.hidden("query")), method: .get,
                headers: [.cookie: try #require(first.cookie)])
            let signedIn = try await visitor.post(
                "/login", try consentForm(first, ["account": "ada"]), headers: [.cookie: try #require(first.cookie)])
            let cookie = try #require(signedIn.cookie)
            let late = try await visitor.post(
                "/login", try consentForm(second, ["account": "grace"]), headers: [.cookie: cookie])
            #expect(late.status == .seeOther)
            let address = String(try #require(late.headers[.location]).dropFirst(providerURL.count))
            let page = try await visitor.client.execute(uri: address, method: .get, headers: [.cookie: cookie])
            #expect(page.text.contains("Ada Lovelace"))
        }
    }

    @Test func `nobody consents without signing in`() async throws {
        try await Visitor.visiting { visitor in
            let login = try await visitor.authorize()
            let form = try consentForm(login, ["decision": "allow"])
            let cookie = try #require(login.cookie)
            let response = try await visitor.post("/consent", form, headers: [.cookie: cookie])
            #expect(response.status == .forbidden)
        }
    }

    @Test(arguments: ["//evil.test/authorize", "/elsewhere", "", "https://evil.test/authorize", "/teams/a/b/authorize"])
    func `a form cannot send the visitor elsewhere`(path: String) async throws {
        try await Visitor.visiting { visitor in
            let login = try await visitor.authorize()
            let form = FormFields([
                "form_token": try login.hidden("form_token"), "path": path, "query": try login.hidden("query"),
                "account": "ada",
            ])
            let response = try await visitor.post("/login", form, headers: [.cookie: try #require(login.cookie)])
            #expect(response.status == .badRequest)
            #expect(response.headers[.location] == nil)
        }
    }

    @Test func `a request changed between the pages is checked again`() async throws {
        try await Visitor.visiting { visitor in
            let (page, cookie) = try await consentPage(visitor)
            let form = FormFields([
                "form_token": try page.hidden("form_token"), "path": "/authorize", "decision": "allow",
                "query": Visitor.request(["redirect_uri": "http://evil.test/"]).encoded,
            ])
            let response = try await visitor.post("/consent", form, headers: [.cookie: cookie])
            #expect(response.status == .badRequest)
            #expect(response.headers[.location] == nil)
        }
    }

    @Test func `who switches accounts is asked to sign in again`() async throws {
        try await Visitor.visiting { visitor in
            let (page, cookie) = try await consentPage(visitor)
            let response = try await visitor.post(
                "/logout", try consentForm(page, [:]), headers: [.cookie: cookie])
            #expect(response.status == .seeOther)
            let again = try await visitor.authorize(cookie: cookie)
            #expect(again.text.contains("Sign in"))
        }
    }

    @Test func `the session's cookie is HttpOnly and Lax`() async throws {
        try await Visitor.visiting { visitor in
            let cookie = try #require(try await visitor.authorize().headers[.setCookie])
            #expect(cookie.hasPrefix("sandbox_session="))
            #expect(cookie.hasSuffix("; Path=/; HttpOnly; SameSite=Lax"))
        }
    }

    @Test func `hostile text from the client is only text on the pages`() async throws {
        try await Visitor.visiting { visitor in
            let hostile = #""><script>alert(1)</script>"#
            let scope = "profile ><script>alert(1)</script>"
            let (page, _) = try await consentPage(visitor, ["state": hostile, "scope": scope])
            #expect(!page.text.contains("<script"))
            #expect(page.text.contains("&gt;&lt;script&gt;alert(1)&lt;/script&gt;"))
            #expect(page.text.contains("The &lt;Broker&gt;"))
        }
    }

    @Test func `every page has a policy that allows no script`() async throws {
        try await Visitor.visiting { visitor in
            let (consent, _) = try await consentPage(visitor)
            let pages = [
                try await visitor.client.execute(uri: "/", method: .get), try await visitor.authorize(), consent,
                try await visitor.authorize(["client_id": "nobody"]), try await visitor.post("/consent", FormFields()),
            ]
            for page in pages {
                let policy = try #require(page.headers[.contentSecurityPolicy])
                #expect(
                    policy.hasPrefix("default-src 'none'; base-uri 'none'; frame-ancestors 'none'; style-src 'self'"))
                #expect(!policy.contains("script-src"))
                #expect(page.headers[.xContentTypeOptions] == "nosniff")
                #expect(page.headers[.referrerPolicy] == "no-referrer")
                #expect(page.text.contains("<html lang=\"en\">"))
                #expect(!page.text.contains("style=\""))
            }
        }
    }

    @Test func `pages cut the opener where asked to and nowhere else`() async throws {
        try await Visitor.visiting { visitor in
            let plain = try await visitor.authorize()
            #expect(plain.headers[.crossOriginOpenerPolicy] == nil)
            let asked = try await visitor.authorize(["sandbox_behaviour": "coop"])
            #expect(asked.headers[.crossOriginOpenerPolicy] == "same-origin")
            let (page, cookie) = try await consentPage(visitor, path: "/coop/authorize")
            #expect(page.headers[.crossOriginOpenerPolicy] == "same-origin")
            let form = try consentForm(page, ["decision": "allow", "behaviour": "coop"])
            let response = try await visitor.post("/consent", form, headers: [.cookie: cookie])
            #expect(response.headers[.crossOriginOpenerPolicy] == "same-origin")
            #expect(response.sentBack["code"] != nil)
        }
    }

    @Test func `each team has addresses of its own`() async throws {
        try await Visitor.visiting { visitor in
            let (page, cookie) = try await consentPage(visitor, path: "/teams/red-pandas/authorize")
            let form = try consentForm(page, ["decision": "allow"])
            let response = try await visitor.post("/consent", form, headers: [.cookie: cookie])
            let exchange = FormFields([
                "grant_type": "authorization_code", "code": try #require(response.sentBack["code"]),
                "redirect_uri": callback, "code_verifier": Visitor.verifier,
            ])
            let tokens = try await visitor.post(
                "/teams/red-pandas/token", exchange, headers: [.authorization: Visitor.basic()])
            #expect(tokens.status == .ok)
        }
    }
}
