import Testing

@testable import Assets

/// Events on their way to the one that decides.
@Suite struct MailboxTests {
    @Test func `events come in their order, all that wait at once`() async {
        let mailbox = Mailbox<Int>()
        mailbox.send(1)
        mailbox.send(2)
        #expect(await mailbox.next() == [1, 2])
        mailbox.send(3)
        #expect(await mailbox.next() == [3])
    }

    @Test func `a reader waits for the next event`() async {
        let mailbox = Mailbox<Int>()
        async let events = mailbox.next()
        mailbox.send(1)
        #expect(await events == [1])
    }

    @Test func `many senders lose nothing`() async {
        let mailbox = Mailbox<Int>()
        let sum = await withTaskGroup(of: Void.self) { group in
            for number in 1...1000 { group.addTask { mailbox.send(number) } }
            var (sum, count) = (0, 0)
            while count < 1000, let events = await mailbox.next() {
                sum += events.reduce(0, +)
                count += events.count
            }
            return sum
        }
        #expect(sum == 500_500)
    }

    @Test func `a reader whose task is cancelled gets nothing`() async {
        let mailbox = Mailbox<Int>()
        let reader = Task { await mailbox.next() }
        reader.cancel()
        #expect(await reader.value == nil)
    }

    @Test func `a closed mailbox gives what nobody read, and takes no more`() async {
        let mailbox = Mailbox<Int>()
        mailbox.send(1)
        #expect(mailbox.close() == [1])
        #expect(!mailbox.send(2))
        #expect(await mailbox.next() == nil)
    }
}
