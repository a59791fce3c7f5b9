import Testing

@testable import ObjectStorage

struct RemoteTreeTests {
    private func object(_ key: String, _ tag: String = "t") -> StoredObject {
        StoredObject(key: key, byteCount: 1, tag: tag)
    }

    @Test func `Keys become the files of models`() {
        let tree = RemoteTree(
            ["p/", "p/m/config.pbtxt", "p/m/1/", "p/m/2/model.onnx", "p/n/1/a/b"].map { object($0) }, keyPrefix: "p/")
        #expect(tree.units.keys.sorted() == ["m", "n"])
        #expect(tree.units["m"]?.files.keys.sorted() == ["m/2/model.onnx", "m/config.pbtxt"])
        #expect(tree.units["m"]?.folders == ["m", "m/1", "m/2"])
        #expect(tree.units["n"]?.folders == ["n", "n/1", "n/1/a"])
        #expect(tree.skipped.isEmpty)
    }

    @Test func `A repository with files of its own is one model`() {
        let tree = RemoteTree(["config.pbtxt", "1/model.onnx"].map { object($0) }, keyPrefix: "")
        #expect(tree.units.keys.sorted() == [""])
        #expect(tree.units[""]?.files.keys.sorted() == ["1/model.onnx", "config.pbtxt"])
    }

    @Test func `What lies beside models makes no model of a repository`() {
        let tree = RemoteTree(["README.md", ".git/x", "m/1/x", "m/config.pbtxt"].map { object($0) }, keyPrefix: "")
        #expect(tree.units.keys.sorted() == ["m"])
        #expect(tree.skipped.isEmpty)
        #expect(RemoteTree.isOneModel(files: ["model.onnx", "labels.txt"], folders: []))
        #expect(RemoteTree.isOneModel(files: [], folders: ["1", "2"]))
        #expect(RemoteTree.isOneModel(files: [], folders: ["people.savedmodel"]))
        #expect(!RemoteTree.isOneModel(files: [], folders: ["1", "resnet"]))
        #expect(!RemoteTree.isOneModel(files: [], folders: []))
        // A model may have a number for a name.
        let named = RemoteTree([object("7/config.pbtxt")], keyPrefix: "", isOneModel: false)
        #expect(named.units.keys.sorted() == ["7"])
    }

    @Test(arguments: [
        "m/../../etc/passwd", "m/./x", "/etc/passwd", "m//x", "m/a\nb", "..", "m/" + String(repeating: "x", count: 256),
        String(repeating: "m/", count: 1100) + "x", "m/\u{7F}",
    ])
    func `Keys that no file can have are left out`(key: String) {
        let tree = RemoteTree([object("p/" + key), object("p/ok/x")], keyPrefix: "p/")
        #expect(tree.units.keys.sorted() == ["ok"])
        #expect(tree.skipped.count == 1)
    }

    @Test func `An object that is a folder too is left out`() {
        let tree = RemoteTree([object("m/1"), object("m/1/x")], keyPrefix: "")
        #expect(tree.units["m"]?.files.keys.sorted() == ["m/1/x"])
        #expect(tree.skipped.keys.sorted() == ["m/1"])
    }
}

struct CopyPlanTests {
    private func unit(_ files: [String: String], folders: Set<String> = ["m", "m/1"]) -> RemoteTree.Unit {
        var unit = RemoteTree.Unit()
        for (path, tag) in files { unit.files[path] = StoredObject(key: path, byteCount: 3, tag: tag) }
        unit.folders = folders
        return unit
    }

    private let stamp = FileStamp(byteCount: 3, modified: 5, number: 7)

    private func manifest(_ tags: [String: String]) -> CopyManifest {
        var manifest = CopyManifest()
        for (path, tag) in tags { manifest.entries[path] = .init(tag: tag, stamp: stamp) }
        return manifest
    }

    @Test func `What is the same stays, and what is not is fetched with the configuration last`() {
        let plan = CopyPlan(
            from: unit(["m/config.pbtxt": "a", "m/1/x": "b", "m/1/y": "new"]),
            to: LocalTree(files: ["m/1/x": stamp, "m/1/y": stamp], folders: ["m", "m/1"]),
            manifest: manifest(["m/1/x": "b", "m/1/y": "old"]))
        #expect(plan.fetches.map(\.path) == ["m/1/y", "m/config.pbtxt"])
        #expect(plan.kept.entries.keys.sorted() == ["m/1/x"])
        #expect(plan.byteCount == 6)
        #expect(plan.removedFiles.isEmpty && plan.folders.isEmpty && plan.removedFolders.isEmpty)
    }

    @Test func `A file that somebody has touched is fetched again`() {
        let touched = FileStamp(byteCount: 3, modified: 6, number: 7)
        let plan = CopyPlan(
            from: unit(["m/1/x": "b"]), to: LocalTree(files: ["m/1/x": touched], folders: ["m", "m/1"]),
            manifest: manifest(["m/1/x": "b"]))
        #expect(plan.fetches.map(\.path) == ["m/1/x"])
    }

    @Test func `What is no longer there is removed, inner folders first`() {
        let plan = CopyPlan(
            from: unit(["m/1/x": "b"]),
            to: LocalTree(
                files: ["m/1/x": stamp, "m/2/y": stamp, "m/z": stamp], folders: ["m", "m/1", "m/2", "m/2/a"]),
            manifest: manifest(["m/1/x": "b"]))
        #expect(plan.fetches.isEmpty && !plan.isEmpty)
        #expect(plan.removedFiles == ["m/2/y", "m/z"])
        #expect(plan.removedFolders == ["m/2/a", "m/2"])
    }

    @Test func `A whole copy leaves nothing to do`() {
        let plan = CopyPlan(
            from: unit(["m/1/x": "b"]), to: LocalTree(files: ["m/1/x": stamp], folders: ["m", "m/1"]),
            manifest: manifest(["m/1/x": "b"]))
        #expect(plan.isEmpty)
        // Nothing tells contents apart without a tag.
        let untagged = CopyPlan(
            from: unit(["m/1/x": ""]), to: LocalTree(files: ["m/1/x": stamp], folders: ["m", "m/1"]),
            manifest: manifest(["m/1/x": ""]))
        #expect(untagged.fetches.count == 1)
    }

    @Test func `A manifest is read as it is written, and rubbish is none`() {
        let manifest = manifest(["m/a b": "\"x\"", "m/é": "y"])
        #expect(CopyManifest(manifest.text) == manifest)
        #expect(CopyManifest("") == CopyManifest())
        #expect(CopyManifest("halcyon copies 1\nx\ty\n1\t2\t3\tt\tp\n").entries.keys.sorted() == ["p"])
        #expect(CopyManifest("other\n1\t2\t3\tt\tp\n") == CopyManifest())
    }
}

struct TransferTests {
    @Test func `An attempt is followed by another where that may help`() {
        let policy = RetryPolicy(attempts: 4, firstDelay: 100, longestDelay: 250)
        #expect((1...4).map { policy.delay(after: $0, .disconnected(wasKnown: true)) } == [100, 200, 250, nil])
        #expect((1...2).map { policy.delay(after: $0, .disconnected(wasKnown: false)) } == [100, nil])
        #expect(policy.delay(after: 1, .answered(status: 503, retryAfter: nil)) == 100)
        #expect(policy.delay(after: 1, .answered(status: 429, retryAfter: 2)) == 2000)
        #expect(policy.delay(after: 1, .answered(status: 503, retryAfter: 9999)) == 30_000)
        #expect(policy.delay(after: 1, .answered(status: 503, retryAfter: .max)) == 30_000)
        #expect(policy.delay(after: 1, .answered(status: 503, retryAfter: .min)) == 100)
        for status in [400, 403, 404, 412, 301] {
            #expect(policy.delay(after: 1, .answered(status: status, retryAfter: nil)) == nil)
        }
    }

    @Test func `When to come again is a number of seconds or a time`() {
        let now = UTCTime(seconds: 1_369_353_600)
        #expect(RetryPolicy.seconds(retryAfter: "7", now: now) == 7)
        #expect(RetryPolicy.seconds(retryAfter: "Fri, 24 May 2013 00:00:10 GMT", now: now) == 10)
        #expect(RetryPolicy.seconds(retryAfter: "Thu, 23 May 2013 00:00:00 GMT", now: now) == 0)
        #expect(RetryPolicy.seconds(retryAfter: "99999999999999999999", now: now) == nil)
        #expect(RetryPolicy.seconds(retryAfter: "soon", now: now) == nil)
    }

    @Test func `An answer goes on where the copy ends, or begins anew`() {
        let head = { (status: Int, range: String?) in
            StoreAnswer(status: status, headers: range.map { [.init("content-range", $0)] } ?? [])
        }
        #expect(ObjectDownload.continues(head(206, "bytes 5-9/10"), at: 5))
        #expect(!ObjectDownload.continues(head(206, "bytes 50-90/100"), at: 5))
        #expect(!ObjectDownload.continues(head(200, nil), at: 5))
        #expect(
            ObjectDownload.isEncrypted(
                StoreAnswer(status: 200, headers: [.init("x-amz-server-side-encryption", "aws:kms")])))
        #expect(
            !ObjectDownload.isEncrypted(
                StoreAnswer(status: 200, headers: [.init("x-amz-server-side-encryption", "AES256")])))
    }

    @Test func `Progress is said now and then`() {
        var progress = CopyProgress(now: 0)
        progress.expect(files: 2, bytes: 40_000_000)
        #expect(progress.add(10_000_000, now: 1_000_000_000) == nil)
        #expect(progress.add(10_000_000, now: 5_000_000_000) == "0 of 2 files, 20.0 of 40.0 MB, 4.0 MB/s")
        #expect(progress.add(1, now: 6_000_000_000) == nil)
        progress.finishFile()
        #expect(progress.text(now: 10_000_000_000) == "1 of 2 files, 20.0 of 40.0 MB, 2.0 MB/s")
    }
}
