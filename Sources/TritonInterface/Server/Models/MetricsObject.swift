/// Metrics that C programs hold: those of one moment.
package final class MetricsObject: TritonObject, @unchecked Sendable {
    package override class var kind: HandleKind { .metrics }
    package let text: CText
    package let byteCount: Int

    package init(_ text: String) {
        self.text = CText(text)
        byteCount = text.utf8.count
        super.init()
    }
}
