#if Server
import OctantNetwork
import Testing

@Suite struct ByteBudgetTests {
    @Test("A budget gives what it has and takes it back")
    func giveAndTake() {
        let budget = ByteBudget(limit: 100)
        let first = ByteShare(of: budget)
        #expect(first.grow(to: 60) && first.grow(to: 60) && first.grow(to: 10))
        #expect(budget.usedBytes == 60)
        do {
            let second = ByteShare(of: budget)
            #expect(second.grow(to: 40) && !second.grow(to: 41))
            #expect(budget.usedBytes == 100, "what was refused changes nothing")
        }
        #expect(budget.usedBytes == 60, "a share that is gone is given back")
        #expect(!first.grow(to: .max))
        first.release()
        first.release()
        #expect(budget.usedBytes == 0 && first.grow(to: 100))
    }

    @Test("However many take of a budget at once, it is never exceeded, and all comes back")
    func manyAtOnce() async {
        let budget = ByteBudget(limit: 1000)
        let isExceeded = await withTaskGroup(of: Bool.self) { group in
            for task in 1...8 {
                group.addTask {
                    var isExceeded = false
                    for round in 0..<5000 {
                        let share = ByteShare(of: budget)
                        for count in 1...4 { _ = share.grow(to: count * (task * 37 + round) % 400) }
                        isExceeded = isExceeded || budget.usedBytes > budget.limit
                    }
                    return isExceeded
                }
            }
            return await group.contains(true)
        }
        #expect(!isExceeded)
        #expect(budget.usedBytes == 0)
    }
}
#endif
