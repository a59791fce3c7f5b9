internal import Foundation
internal import Halcyon
internal import Vision

/// What one thread found in its last request.
struct ThreadResult: Sendable {
    var number: Int
    var image: String
    var picture: Picture
    var detections: [Detection]
}

/// The concurrent requests: so many threads, each with its own picture, one request after the other.
struct RequestRun: Sendable {
    let server: InferenceServer
    let model: PreparedModel
    /// Where tensors are to live; `nil` for ordinary memory.
    let placement: MemoryPlacement?
    let flags: Flags

    private final class Results: @unchecked Sendable {
        private let lock = NSLock()
        private var values: [Result<ThreadResult, HalcyonError>] = []

        func add(_ result: Result<ThreadResult, HalcyonError>) { lock.withLock { values.append(result) } }

        func sorted() throws(HalcyonError) -> [ThreadResult] {
            var results: [ThreadResult] = []
            for value in lock.withLock({ values }) { results.append(try value.get()) }
            return results.sorted { $0.number < $1.number }
        }
    }

    /// Runs all of them.
    ///
    /// - Returns: what the threads found, and the milliseconds from the start of the first to the end of the last.
    /// - Throws: the first error of a thread.
    func run() throws(HalcyonError) -> (threads: [ThreadResult], milliseconds: Double) {
        let pictures = PictureCache()
        let results = Results()
        let progress = ProgressBar(total: flags.threads * flags.repetitions)
        let group = DispatchGroup()
        let start = ContinuousClock.now
        for number in 0..<flags.threads {
            group.enter()
            Thread.detachNewThread {
                results.add(
                    Result { () throws(HalcyonError) in try work(number, pictures: pictures, progress: progress) })
                group.leave()
            }
        }
        group.wait()
        let milliseconds = (ContinuousClock.now - start) / .milliseconds(1)
        progress.finish()
        return (try results.sorted(), milliseconds)
    }

    private func work(
        _ number: Int, pictures: PictureCache, progress: ProgressBar
    ) throws(HalcyonError) -> ThreadResult {
        let image = flags.images[number % flags.images.count]
        let picture = try pictures.picture(image)
        var detections: [Detection] = []
        for _ in 0..<flags.repetitions {
            detections = try model.detect(
                picture, server: server, placement: placement, threshold: flags.threshold)
            progress.advance()
        }
        return ThreadResult(number: number, image: image, picture: picture, detections: detections)
    }
}
