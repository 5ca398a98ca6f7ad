/// The program.
@main
struct CloakroomAssets {
    static func main() {}
}
