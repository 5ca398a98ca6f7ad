enum RegistrationColumn: Int32, Columns {
    case issuer, redirectURI, sealed
    /// The column has the name of its first value.
    case usedAt

    var sql: String { self == .usedAt ? "registered_at" : name }
}

extension Statement {
    static let registration = Statement(
        "registration",
        """
        SELECT \(RegistrationColumn.list) FROM client_registrations WHERE issuer = $1::text AND redirect_uri = $2::text
        """)

    /// No row where another one is kept than the one to replace: it is locked then, and can be looked at.
    static let keepRegistration = Statement(
        "keepRegistration",
        """
        INSERT INTO client_registrations AS r (\(RegistrationColumn.list))
        VALUES ($1::text, $2::text, $3::bytea, $4::bigint)
        ON CONFLICT (issuer, redirect_uri) DO UPDATE SET sealed = excluded.sealed, registered_at = excluded.registered_at
        WHERE r.sealed = $5::bytea
        RETURNING 1
        """)

    static let noteRegistrationUse = Statement(
        "noteRegistrationUse",
        """
        UPDATE client_registrations SET \(RegistrationColumn.usedAt.sql) = $4::bigint
        WHERE issuer = $1::text AND redirect_uri = $2::text AND sealed = $3::bytea
        """)

    /// Leaves those that another transaction holds to the next: it uses them, or seals them again.
    static let forgetRegistrations = Statement(
        "forgetRegistrations",
        """
        WITH d AS (SELECT issuer, redirect_uri FROM client_registrations
                WHERE \(RegistrationColumn.usedAt.sql) <= $1::bigint FOR UPDATE SKIP LOCKED)
        DELETE FROM client_registrations r USING d WHERE r.issuer = d.issuer AND r.redirect_uri = d.redirect_uri
        """)

    static let registrationsToReseal = Statement(
        "registrationsToReseal",
        "SELECT \(RegistrationColumn.list) FROM client_registrations ORDER BY issuer, redirect_uri FOR UPDATE")

    static let resealRegistration = Statement(
        "resealRegistration",
        """
        UPDATE client_registrations SET sealed = $3::bytea WHERE issuer = $1::text AND redirect_uri = $2::text
        """)

    static let registrationUses = Statement(
        "registrationUses",
        """
        SELECT substring(sealed from 1 for 2 + get_byte(sealed, 1)), count(*) FROM client_registrations
        WHERE length(sealed) > 1 GROUP BY 1
        """)
}
