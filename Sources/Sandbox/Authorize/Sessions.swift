/// The browsers that have been here, by the random text in their cookie.
actor Sessions {
    struct Session: Sendable {
        let id: String
        /// In every form; a page of another origin cannot know it.
        let formToken: String
        let account: Account?
    }

    static let cookieName = "sandbox_session"

    private var sessions = BoundedMap<String, Session>(capacity: 1000)

    /// The session of this cookie, or a new one for somebody unknown.
    func session(_ cookie: String?) -> Session {
        if let cookie, let session = sessions[cookie] { return session }
        return start(nil)
    }

    func known(_ cookie: String?) -> Session? {
        cookie.flatMap { sessions[$0] }
    }

    /// The session of this cookie, if the form came from a page of that same session.
    func session(_ cookie: String?, formToken: String?) -> Session? {
        guard let cookie, let session = sessions[cookie], session.formToken == formToken else { return nil }
        return session
    }

    /// Signs in or out, under a new id: one that somebody else planted earlier becomes worthless.
    func replace(_ session: Session, account: Account?) -> Session {
        sessions[session.id] = nil
        return start(account)
    }

    private func start(_ account: Account?) -> Session {
        let session = Session(id: Base64URL.random(), formToken: Base64URL.random(), account: account)
        sessions[session.id] = session
        return session
    }
}

extension Sessions.Session {
    /// `Lax`, so that it comes along when a client's page opens the provider. No `Secure`: loopback has no TLS.
    var cookie: String { "\(Sessions.cookieName)=\(id); Path=/; HttpOnly; SameSite=Lax" }
}
