import Testing

@testable import PostgresStore

@Suite struct PostgresAddressTests {
    @Test func `an address names hosts, user, database and how to connect`() throws {
        let address = try PostgresAddress(
            "postgres://bro%6Ber@one.example,[::1]:5433,%2Frun%2Fpg:6/cloak%20room?sslmode=verify-full&sslrootcert=/ca.pem"
        )
        #expect(address.user == "broker" && address.database == "cloak room")
        #expect(address.hosts.map(\.name) == ["one.example", "::1", "/run/pg"])
        #expect(address.hosts.map(\.port) == [5432, 5433, 6])
        #expect(address.options == ["sslrootcert": "/ca.pem"] && address.effectiveSSLMode == "verify-full")
    }

    @Test(arguments: [
        "postgres://u:hunter2@h/d", "postgres://u:hun@ter2@h/d", "postgres://hunter2/d", "postgres://u@h",
        "postgres://u@h/", "postgres://@h/d", "postgres://u@/d", "postgres://u@h:0/d", "postgres://u@h:x/d",
        "postgres://u@h/d?password=hunter2", "postgres://u@h/d?options=-c", "postgres://u@h/d?sslmode=hunter2",
        "postgres://u@h/d?sslmode=require&sslmode=disable", "postgres://u@h/d e", "mysql://hunter2@h/d",
        "postgres://u@[::1/d", "postgres://u@h,,h/d",
    ])
    func `what is no address is refused without a word of it`(_ text: String) {
        let fault = #expect(throws: PostgresAddress.Fault.self) { try PostgresAddress(text) }
        #expect(fault.map { !"\($0)".contains("hunter2") && !"\($0)".contains("ter2") } == true)
    }

    @Test func `another mode than verify-full is told of hosts that are not local`() throws {
        let warning = { (text: String) in try PostgresAddress(text).warning }
        for mode in ["disable", "allow", "prefer", "require", "verify-ca"] {
            #expect(try warning("postgres://u@db.example/d?sslmode=\(mode)")?.contains(mode) == true)
            #expect(try warning("postgres://u@localhost,127.0.0.1/d?sslmode=\(mode)") == nil)
        }
        #expect(try warning("postgres://u@db.example/d") == nil)
        #expect(try PostgresAddress("postgres://u@db.example/d").effectiveSSLMode == "verify-full")
        #expect(try PostgresAddress("postgres://u@%2Frun/d").effectiveSSLMode == "prefer")
        #expect(try warning("postgres://u@localhost,db.example/d?sslmode=prefer") != nil)
    }
}
