import Formats
import Secrets
import TestSupport
import Testing

@testable import JOSE

@Suite struct JSONWebKeySetTests {
    private func read(_ text: String) -> JSONWebKeySet? { JSONWebKeySet(json: Array(text.utf8)) }

    /// RFC 7517 § A.1: one key for encryption, one RSA key with `alg`.
    @Test func `the published key set gives its one key for signatures`() throws {
        let set = try #require(
            read(
                #"""
                {"keys":
                  [
                    {"kty":"EC",
                     "crv":"P-256",
                     "x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
                     "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
                     "use":"enc",
                     "kid":"1"},

                    {"kty":"RSA",
                     "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
                     "e":"AQAB",
                     "alg":"RS256",
                     "kid":"2011-04-29"}
                  ]
                }
                """#))
        #expect(set.keys(for: "2011-04-29", .RS256).count == 1)
        #expect(set.keys(for: nil, .RS256).count == 1)
        #expect(set.keys(for: "2011-04-29", .PS256).isEmpty)
        #expect(set.keys(for: "1", .ES256).isEmpty)
        #expect(set.keys(for: "1", .RS256).isEmpty)
    }

    @Test func `a key is found by its id and its algorithm`() throws {
        let set = try TestKey.set([
            (PublishedKey.rsa, ["kid": .string("a")]), (PublishedKey.p256, ["kid": .string("a")]),
            (PublishedKey.ed25519, ["kid": .string("b"), "use": .string("sig")]),
            (TestKey.p384, ["kid": .string("c"), "key_ops": .array([.string("verify")])]),
        ])
        #expect(set.keys(for: "a", .RS256).count == 1)
        #expect(set.keys(for: "a", .ES256).count == 1)
        #expect(set.keys(for: "a", .EdDSA).isEmpty)
        #expect(set.keys(for: "b", .EdDSA).count == 1)
        #expect(set.keys(for: "c", .ES384).count == 1)
        #expect(set.keys(for: "A", .RS256).isEmpty)
        #expect(set.keys(for: nil, .PS512).count == 1)
    }

    /// RFC 9864 § 2.2: an issuer may take up the new names in its keys and its tokens one after the other.
    @Test func `a key for EdDSA signs by either name, and by no other curve's`() throws {
        for name in ["EdDSA", "Ed25519"] {
            let set = try TestKey.set([(PublishedKey.ed25519, ["alg": .string(name)])])
            #expect(set.keys(for: nil, .EdDSA).count == 1 && set.keys(for: nil, .Ed25519).count == 1)
            #expect(set.keys(for: nil, .Ed448).isEmpty)
        }
        let set = try TestKey.set([(PublishedKey.ed25519, ["alg": .string("Ed448")])])
        #expect(set.keys(for: nil, .Ed25519).isEmpty && set.keys(for: nil, .Ed448).isEmpty)
    }

    @Test func `where no key has an id, the algorithm tells`() throws {
        let set = try TestKey.set([(PublishedKey.rsa, [:]), (PublishedKey.p256, [:])])
        #expect(set.keys(for: "a", .RS256).count == 1)
        #expect(set.keys(for: nil, .ES256).count == 1)
    }

    @Test func `keys that cannot be used are passed over`() throws {
        let set = try TestKey.set([
            (PublishedKey.rsa, ["use": .string("enc")]), (PublishedKey.rsa, ["use": .number(1)]),
            (PublishedKey.rsa, ["key_ops": .array([.string("encrypt")])]),
            (PublishedKey.rsa, ["key_ops": .string("verify")]),
            (PublishedKey.rsa, ["kty": .string("oct")]), (PublishedKey.rsa, ["e": .string("AQ")]),
            (PublishedKey.rsa, ["n": .number(1)]),
            (PublishedKey.rsa, ["alg": .string("RSA-OAEP")]), (PublishedKey.rsa, ["alg": .number(5)]),
            (PublishedKey.rsa, ["alg": .array([.string("RS256")])]), (PublishedKey.p256, ["kid": .string("good")]),
        ])
        #expect(set.keys(for: nil, .RS256).isEmpty)
        #expect(set.keys(for: "good", .ES256).count == 1)
    }

    @Test(arguments: ["", "[]", "{}", "null", #"{"keys":{}}"#, #"{"keys":null}"#, #"{"keys":[]"#, "<html>", "keys"])
    func `what is no key set is refused`(_ text: String) {
        #expect(read(text) == nil)
    }

    @Test func `an empty key set has no keys`() throws {
        #expect(try #require(read(#"{"keys":[]}"#)).keys(for: nil, .RS256).isEmpty)
        #expect(try #require(read(#"{"keys":[1,null,"a",[],{}]}"#)).keys(for: nil, .RS256).isEmpty)
    }

    /// RFC 7517 § 4.
    @Test func `a member that comes twice spoils the set`() {
        #expect(read(#"{"keys":[{"kty":"RSA","kty":"EC"}]}"#) == nil)
        #expect(read(#"{"keys":[],"keys":[]}"#) == nil)
    }

    @Test func `a set may have a hundred keys and half a mebibyte`() {
        let keys = { (count: Int) in
            "{\"keys\":[" + [String](repeating: "{}", count: count).joined(separator: ",") + "]}"
        }
        #expect(read(keys(100)) != nil)
        #expect(read(keys(101)) == nil)
        let padded = { (count: Int) in "{\"keys\":[]" + String(repeating: " ", count: count - 11) + "}" }
        #expect(read(padded(512 * 1024)) != nil)
        #expect(read(padded(512 * 1024 + 1)) == nil)
        #expect(read(padded(10_000_000)) == nil)
    }
}
