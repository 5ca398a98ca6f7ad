import Broker
import Foundation
import Glibc

extension Machine {
    /// This machine, by the kernel's name for its start; `nil` where the kernel tells none.
    static var current: Machine? {
        guard let boot = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8) else {
            return nil
        }
        // A container may have a time of its own (time_namespaces(7)).
        let time = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/time")) ?? ""
        var uptime = timespec()
        guard clock_gettime(CLOCK_BOOTTIME, &uptime) == 0 else { return nil }
        let age = Duration.seconds(uptime.tv_sec) + .nanoseconds(uptime.tv_nsec)
        return Machine(name: boot + time, start: .now - age)
    }
}
