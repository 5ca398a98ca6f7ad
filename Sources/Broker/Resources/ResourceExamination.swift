import Catalog

extension Broker {
    /// Tells an operator in plain words what a flow of this request finds at each step; registers nothing. `nil` where
    /// the source type names its provider, or the flow cannot begin for another reason.
    package func examineResource(for request: AuthorizeRequest) async -> [Reason]? {
        guard let entry = try? await entry(request.sourceType, of: request.tenant),
            let values = try? values(request.parameters, of: entry), let url = entry.resource(in: values)
        else { return nil }
        let steps = Narration()
        do {
            let (resource, offer) = try await offer(of: url, for: entry, call(of: request.tenant)) { steps.add($0) }
            steps.add(words(for: offer))
            let scopes = request.scopes ?? entry.client?.scopes ?? resource.scopes
            steps.add("scopes to ask for: \(quoted: scopes.isEmpty ? "none" : scopes.joined(separator: " "))")
        } catch {
            // The flow fails by the same, and says so.
        }
        return steps.all
    }

    private func words(for offer: ServerOffer) -> Reason {
        switch offer.approach {
        case .preregistered: "the broker is the client that was set for it"
        case .metadataDocument:
            "it takes client ID metadata documents: the broker's client id is \(quoted: clientDocumentURL(RedirectHandle(issuer: offer.metadata.issuer)))"
        case .dynamicRegistration(let endpoint, _):
            "it takes dynamic registration: the broker registers at \(quoted: endpoint)"
        }
    }
}
