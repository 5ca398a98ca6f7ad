/// Master keys that anyone may know: 00 01 … 1f, and 32 times ff.
enum TestKeys {
    static let first = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    static let second = "k2://////////////////////////////////////////8="
    static let ring = "\(first)\n\(second)\n"
}
