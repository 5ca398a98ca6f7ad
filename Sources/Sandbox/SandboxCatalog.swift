extension SandboxProvider {
    /// A catalog file that puts the sandbox's drive in the place of Google's, for an asset service that reads it.
    ///
    /// - Parameter providerURL: The provider's address, without a slash at the end.
    public static func driveCatalog(providerURL: String) -> String {
        """
        sourceTypes:
          google_drive:
            displayName: Team Handbook (read by the asset service)
            category: sandbox
            provider: sandbox
            oauth:
              authorizationURL: "\(providerURL)/authorize"
              tokenURL: "\(providerURL)/token"
              revocationURL: "\(providerURL)/revoke"
              issuer: "\(providerURL)"
              scopes: [files.read, profile, offline]
              clientAuthentication: basic
              pkce: S256
              refreshToken: expected

        """
    }

    /// A catalog file for the broker, in YAML. Its source types have the provider `sandbox` in common, so that one
    /// client serves them all.
    ///
    /// - Parameter providerURL: The provider's address, without a slash at the end.
    public static func catalog(providerURL: String) -> String {
        """
        sourceTypes:
          sandbox:
            displayName: Sandbox Drive
            category: sandbox
            provider: sandbox
            oauth:
              authorizationURL: "\(providerURL)/authorize"
              tokenURL: "\(providerURL)/token"
              revocationURL: "\(providerURL)/revoke"
              issuer: "\(providerURL)"
              scopes: [files.read, profile, offline]
              clientAuthentication: basic
              pkce: S256
              refreshToken: expected
          sandbox_coop:
            displayName: Sandbox Vault (cuts the opener)
            category: sandbox
            provider: sandbox
            oauth:
              authorizationURL: "\(providerURL)/coop/authorize"
              tokenURL: "\(providerURL)/token"
              revocationURL: "\(providerURL)/revoke"
              issuer: "\(providerURL)"
              scopes: [files.read, profile, offline]
              clientAuthentication: basic
              pkce: S256
              refreshToken: expected
              cutsOpener: true
          sandbox_form:
            displayName: Sandbox Classic (form-encoded, no PKCE)
            category: sandbox
            provider: sandbox
            oauth:
              authorizationURL: "\(providerURL)/authorize"
              tokenURL: "\(providerURL)/token"
              scopes: [files.read, profile]
              authorizationParameters: { sandbox_behaviour: "form,expires_string,no_iss" }
              clientAuthentication: post
              pkce: none
              refreshToken: optional
          sandbox_issuer:
            displayName: Sandbox Library (iss required)
            category: sandbox
            provider: sandbox
            oauth:
              authorizationURL: "\(providerURL)/authorize"
              tokenURL: "\(providerURL)/token"
              issuer: "\(providerURL)"
              requireIssuer: true
              scopes: [files.read, profile, offline]
              clientAuthentication: basic
              pkce: S256
              refreshToken: expected
          sandbox_team:
            displayName: Sandbox Team (one address per team)
            category: sandbox
            provider: sandbox
            oauth:
              authorizationURL: "\(providerURL)/teams/{team}/authorize"
              tokenURL: "\(providerURL)/teams/{team}/token"
              revocationURL: "\(providerURL)/teams/{team}/revoke"
              issuer: "\(providerURL)"
              scopes: [files.read, profile, offline]
              clientAuthentication: basic
              pkce: S256
              refreshToken: expected
              parameters:
                team: { pattern: "^[a-z][a-z0-9-]{0,30}$", description: "Your team's short name, such as red-pandas", required: true }

        """
    }
}
