/// The tables, from the first version on. A migration that was released is never changed, and adds only: brokers of the
/// version before go on while others are upgraded.
enum Schema {
    /// The number of the last migration.
    static let version: Int64 = 2

    /// Each migration's statements, the first one's at 0.
    static let migrations: [String] = [first, copying]

    /// Fill factors leave room in each page for the next version of a row, and no column of an index ever changes: so
    /// updates touch neither indexes nor other pages (HOT), and dead versions go as the page is read. Sealed values stay
    /// in the row: most are shorter than a page.
    private static let first = """
        CREATE TABLE flows (
            id bytea PRIMARY KEY,
            created_at bigint NOT NULL,
            expires_at bigint NOT NULL,
            line bigint NOT NULL,
            key_expires_at bigint,
            reuses bigint NOT NULL DEFAULT 0,
            status smallint NOT NULL DEFAULT 0,
            delivery smallint NOT NULL DEFAULT 0,
            is_bound boolean NOT NULL DEFAULT false,
            tenant text NOT NULL,
            source_type text NOT NULL,
            parameters text NOT NULL,
            scopes text NOT NULL,
            frontend_origin text NOT NULL,
            return_url text,
            exchange_challenge text,
            redirect text NOT NULL,
            client_id text NOT NULL,
            master_key text NOT NULL,
            error text,
            error_description text,
            sealed_key bytea
        ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);
        CREATE INDEX flows_by_expiry ON flows (expires_at);

        CREATE TABLE credential_keys (
            digest bytea PRIMARY KEY,
            flow bytea NOT NULL,
            expires_at bigint NOT NULL,
            created_at bigint NOT NULL,
            line bigint NOT NULL,
            spent_at bigint,
            tenant text NOT NULL,
            source_type text NOT NULL,
            exchange_challenge text,
            sealed bytea,
            sealed_revocation bytea
        ) WITH (fillfactor = 80, toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0.02);
        ALTER TABLE credential_keys ALTER sealed SET STORAGE MAIN, ALTER sealed_revocation SET STORAGE MAIN;
        CREATE INDEX credential_keys_by_expiry ON credential_keys (expires_at, digest);

        CREATE TABLE revocations (
            id bigint PRIMARY KEY,
            tenant text,
            source_type text,
            flow bytea,
            time bigint NOT NULL
        );

        CREATE TABLE clients (
            tenant text COLLATE "C",
            source_type text COLLATE "C",
            client_id text NOT NULL,
            sealed_secret bytea,
            scopes text,
            parameters text NOT NULL,
            changed_at bigint NOT NULL,
            PRIMARY KEY (tenant, source_type)
        );

        CREATE TABLE client_registrations (
            issuer text COLLATE "C",
            redirect_uri text COLLATE "C",
            sealed bytea NOT NULL,
            registered_at bigint NOT NULL,
            PRIMARY KEY (issuer, redirect_uri)
        );

        CREATE TABLE generation (
            one boolean PRIMARY KEY DEFAULT true CHECK (one),
            revocations bigint NOT NULL DEFAULT 0
        );
        INSERT INTO generation DEFAULT VALUES;

        CREATE TABLE sweeps (
            one boolean PRIMARY KEY DEFAULT true CHECK (one),
            flows_from bigint NOT NULL DEFAULT 0,
            keys_from bigint NOT NULL DEFAULT 0,
            swept_at bigint NOT NULL DEFAULT 0,
            whole_at bigint NOT NULL DEFAULT 0
        ) WITH (fillfactor = 10);
        INSERT INTO sweeps DEFAULT VALUES;

        CREATE TABLE audit_trail (
            one boolean PRIMARY KEY DEFAULT true CHECK (one),
            sealed_key bytea NOT NULL,
            left_out bigint NOT NULL DEFAULT 0,
            anchor bytea,
            anchor_proof bytea
        ) WITH (fillfactor = 10);

        CREATE TABLE audit_chains (
            chain bigint PRIMARY KEY,
            holder bytea NOT NULL,
            batch bigint NOT NULL DEFAULT 0,
            last bigint NOT NULL DEFAULT 0,
            last_digest bytea NOT NULL,
            last_time bigint NOT NULL DEFAULT 0,
            last_proof bytea NOT NULL,
            start bigint NOT NULL DEFAULT 0,
            start_digest bytea NOT NULL,
            start_proof bytea NOT NULL,
            broken_at bigint,
            finding text
        ) WITH (fillfactor = 10);

        CREATE TABLE audit_events (
            chain bigint NOT NULL,
            sequence bigint NOT NULL,
            time bigint NOT NULL,
            type text NOT NULL,
            tenant text,
            source_type text,
            flow bytea,
            actor text,
            token_id text,
            remote_address text,
            code text,
            reason text,
            request_id text,
            digest bytea NOT NULL,
            PRIMARY KEY (chain, sequence)
        );
        CREATE INDEX audit_events_by_time ON audit_events (time, chain, sequence);
        CREATE INDEX audit_events_seldom ON audit_events (type, time, chain, sequence) WHERE type NOT IN
            ('flow.started', 'flow.succeeded', 'credential_key.redeemed', 'credentials.refreshed');

        CREATE TABLE brokers (
            id text PRIMARY KEY,
            public_key bytea NOT NULL,
            proof bytea NOT NULL,
            seen_at bigint NOT NULL
        ) WITH (fillfactor = 10);
        CREATE TABLE handovers (
            sender text NOT NULL REFERENCES brokers (id) ON DELETE CASCADE,
            recipient text NOT NULL REFERENCES brokers (id) ON DELETE CASCADE,
            sealed bytea NOT NULL,
            PRIMARY KEY (sender, recipient)
        );

        CREATE TABLE refreshes (
            id bytea PRIMARY KEY,
            tenant text NOT NULL,
            source_type text NOT NULL,
            lease bytea NOT NULL,
            is_running boolean NOT NULL,
            answer bytea,
            failed_lease bytea,
            failure bytea,
            overtaken bytea,
            machine bytea NOT NULL,
            uptime bigint NOT NULL,
            time bigint NOT NULL
        ) WITH (fillfactor = 50);
        CREATE TABLE refresh_tokens (
            token bytea NOT NULL,
            refresh bytea NOT NULL REFERENCES refreshes (id) ON DELETE CASCADE,
            PRIMARY KEY (token, refresh)
        );
        CREATE INDEX refresh_tokens_by_refresh ON refresh_tokens (refresh);
        """

    /// What a copy of another store needs: its name, and the place that it has come to, `NULL` once it is finished. Events
    /// of old stores are not in the order of their times up to one.
    private static let copying = """
        ALTER TABLE audit_trail ADD COLUMN copy bytea, ADD COLUMN copying text, ADD COLUMN copied_to bigint;
        ALTER TABLE audit_chains ADD COLUMN ordered_from bigint NOT NULL DEFAULT 0;
        """

    /// The index behind bounds of outstanding flows. It doubles the server's work for a flow, so it is made where bounds
    /// are first set, and never dropped: another broker may use it.
    static let outstandingIndex = """
        CREATE INDEX IF NOT EXISTS flows_outstanding ON flows (tenant, expires_at) WHERE \(FlowRow.Status.isOpen)
        """

    /// The rights of the role that serves, which makes no tables. Of the trail's events it changes none.
    static func grants(to role: String) -> String {
        let name = "\"" + role.replacing("\"", with: "\"\"") + "\""
        let literal = "'" + name.replacing("'", with: "''") + "'"
        return """
            DO $grant$ BEGIN
                EXECUTE format('GRANT USAGE ON SCHEMA %I TO ', current_schema()) || \(literal);
            END $grant$;
            GRANT SELECT ON schema_version TO \(name);
            GRANT SELECT, INSERT, UPDATE, DELETE ON flows, credential_keys, revocations, clients, client_registrations,
                refreshes, refresh_tokens, brokers, handovers TO \(name);
            GRANT SELECT, UPDATE ON generation, sweeps TO \(name);
            GRANT SELECT, INSERT, UPDATE ON audit_trail, audit_chains TO \(name);
            GRANT SELECT, INSERT, DELETE ON audit_events TO \(name);
            """
    }
}
