import Glibc

/// Tells which of many descriptors can be read.
struct Poller {
    private var watched: [pollfd] = []
    private var tags: [Int] = []

    /// Watches `descriptor`; `wait` reports it as `tag`.
    mutating func add(_ descriptor: Int32, tag: Int) {
        let entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        if let free = watched.firstIndex(where: { $0.fd < 0 }) {
            watched[free] = entry
            tags[free] = tag
        } else {
            watched.append(entry)
            tags.append(tag)
        }
    }

    mutating func remove(tag: Int) {
        guard let index = tags.firstIndex(of: tag) else { return }
        watched[index].fd = -1
        tags[index] = .min
    }

    /// The tags of what can be read, after at most `milliseconds` (-1: for ever).
    mutating func wait(milliseconds: Int32) -> [Int] {
        guard poll(&watched, nfds_t(watched.count), milliseconds) > 0 else { return [] }
        return watched.indices.filter { watched[$0].fd >= 0 && watched[$0].revents != 0 }.map { tags[$0] }
    }
}
