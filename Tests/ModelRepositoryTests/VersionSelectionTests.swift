import ModelConfigurations
import ModelRepository
import Testing

struct VersionSelectionTests {
    @Test(
        arguments: [
            ([3, 1, 2], .latest(1), [3]), ([3, 1, 2], .latest(2), [2, 3]), ([3, 1, 2], .latest(9), [1, 2, 3]),
            ([9, 10], .latest(1), [10]), ([3, 1], .latest(0), []), ([3, 1], .latest(-1), []), ([], .latest(1), []),
            ([3, 1, 2], .all, [1, 2, 3]), ([], .all, []), ([2, 2], .all, [2]),
            ([3, 1, 2], .specific([2]), [2]), ([3, 1, 2], .specific([3, 1, 3]), [1, 3]),
            ([3, 1], .specific([7, 1]), [1]), ([3, 1], .specific([7]), []), ([1], .specific([]), []),
        ] as [([Int64], VersionPolicy, [Int64])])
    func `A policy chooses`(available: [Int64], policy: VersionPolicy, expected: [Int64]) {
        #expect(VersionSelection.versions(available, policy: policy) == expected)
    }

    @Test(
        arguments: [
            ([3, 1], .specific([7, 1, 4, 7]), [4, 7]), ([3, 1], .specific([1]), []), ([3], .latest(4), []),
            ([], .all, []),
        ] as [([Int64], VersionPolicy, [Int64])])
    func `A policy names versions that are not there`(available: [Int64], policy: VersionPolicy, expected: [Int64]) {
        #expect(VersionSelection.absentVersions(available, policy: policy) == expected)
    }
}
