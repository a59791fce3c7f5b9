internal import CompiledModels
internal import Glibc
internal import Tensors
internal import Vision

// What libFuzzer calls with the content of files that others made: they are read, or refused in words.

/// A picture: JPEG or PNG, with what a camera noted in it.
@_cdecl("halcyon_fuzz_pictures")
public func decodePicture(_ start: UnsafePointer<UInt8>?, _ count: Int) {
    var limits = PictureLimits()
    limits.maxPixels = 1 << 18
    let bytes = UnsafeRawBufferPointer(start: start, count: count)
    do {
        let picture = try PictureDecoder.decode(bytes, name: "fuzz", limits: limits)
        precondition(picture.width * picture.height <= limits.maxPixels, "more pixels than are allowed")
    } catch {
        precondition(!error.message.isEmpty)
    }
}

/// The page beside a compiled model.
@_cdecl("halcyon_fuzz_stamp")
public func readStamp(_ start: UnsafePointer<UInt8>?, _ count: Int) {
    guard let file = fopen(stampPath + ".json", "w") else {
        perror(stampPath)
        exit(1)
    }
    fwrite(start, 1, count, file)
    fclose(file)
    guard let stamp = try? CompiledModelStamp(besideBlob: stampPath) else { return }
    // What was read can be written, and is the same then.
    precondition(stamp.sources.keys.allSatisfy { !$0.contains("/") && !$0.hasPrefix(".") })
    precondition(!stamp.text.isEmpty)
}

private let stampPath = "/dev/shm/halcyon-fuzz-stamp-\(getpid())"
