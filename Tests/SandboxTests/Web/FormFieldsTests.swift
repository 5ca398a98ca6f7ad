import Testing

@testable import Sandbox

struct FormFieldsTests {
    @Test func `what is encoded is decoded again`() {
        let fields = FormFields(["a b": "1+1=2 & ü%", "": "", "a b": "again"])
        #expect(FormFields(decoding: fields.encoded) == fields)
    }

    @Test func `a plus is a space and a broken percent sign stays`() {
        #expect(FormFields(decoding: "a=b+c&d=%2&e=%zz")["a"] == "b c")
        #expect(FormFields(decoding: "a=b+c&d=%2&e=%zz")["d"] == "%2")
        #expect(FormFields(decoding: "a=b+c&d=%2&e=%zz")["e"] == "%zz")
    }

    @Test func `a repeated name is noticed`() {
        #expect(FormFields(decoding: "a=1&b=2&a=3").repeated == "a")
        #expect(FormFields(decoding: "a=1&b=2").repeated == nil)
        #expect(FormFields(decoding: "a=1&b=2&a=3").all("a") == ["1", "3"])
    }

    @Test func `a bounded map forgets its oldest entries`() {
        var map = BoundedMap<Int, Int>(capacity: 10)
        for number in 0..<1000 {
            map[number] = number
            if number.isMultiple(of: 3) { map[number] = nil }
        }
        #expect(map.count <= 20)
        #expect(map[998] == 998)
        #expect(map[999] == nil)
        #expect(map[1] == nil)
    }
}
