import Testing

@testable import SpanExport

@Suite struct SpanIdentityTests {
    @Test func readsAndWritesTheHeader() throws {
        let header = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"
        let identity = try #require(SpanIdentity(header: header, state: "vendor=1"))
        #expect(identity.trace == [0x0af7_6519_16cd_43dd, 0x8448_eb21_1c80_319c])
        #expect(identity.span == 0x00f0_67aa_0ba9_02b7)
        #expect(identity.state == "vendor=1")
        #expect(identity.header == header)
    }

    @Test(arguments: [
        "",
        "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7",
        "ff-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01",
        "00-0AF7651916CD43DD8448EB211C80319C-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01-more",
        "00-0af7651916cd43dd8448eb211c80319-00f067aa0ba902b7-01",
        "00-+af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01",
        // Its own service does not record it.
        "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-00",
    ])
    func refuses(header: String) { #expect(SpanIdentity(header: header, state: nil) == nil) }

    @Test func aLaterVersionMaySayMore() {
        #expect(
            SpanIdentity(header: "01-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01-more", state: nil) != nil)
    }

    @Test func aChildIsOfTheSameTrace() {
        let parent = SpanIdentity(trace: [1, 2], span: 3, state: "s")
        #expect(parent.child.trace == [1, 2])
        #expect(parent.child.state == "s")
        #expect(parent.child.span != parent.child.span)
    }
}
