internal import CPNG
internal import CTurboJPEG
internal import Glibc
package import Tensors

/// Reads JPEG and PNG, and turns them as the camera's note of its orientation in their EXIF data says: width, height
/// and pixels are those of the picture as any viewer shows it.
package enum PictureDecoder {
    /// Decodes a file.
    ///
    /// - Throws: `HalcyonError` that names the file and says what is wrong with it.
    package static func read(_ path: String, limits: PictureLimits = PictureLimits()) throws(HalcyonError) -> Picture {
        let bytes = try PictureFile.read(path, most: limits.maxFileBytes)
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(HalcyonError) in try decode(bytes, name: path, limits: limits) }
        }
        return try result.get()
    }

    /// Decodes a picture in memory.
    ///
    /// - Parameter name: what the errors call it.
    package static func decode(
        _ bytes: UnsafeRawBufferPointer, name: String, limits: PictureLimits = PictureLimits()
    ) throws(HalcyonError) -> Picture {
        guard !bytes.isEmpty else { throw fault(name, "is empty") }
        if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
            let picture = try decodeJPEG(bytes, name: name, limits: limits)
            return try ExifOrientation.ofJPEG(bytes).upright(picture)
        }
        if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            let picture = try decodePNG(bytes, name: name, limits: limits)
            return try ExifOrientation.ofPNG(bytes).upright(picture)
        }
        throw fault(name, "is neither JPEG nor PNG")
    }

    static func fault(_ name: String, _ what: String) -> HalcyonError {
        HalcyonError(.invalidArgument, "the picture '\(name)' \(what)")
    }

    private static func allocate(
        width: Int, height: Int, name: String, limits: PictureLimits
    ) throws(HalcyonError) -> TensorStorage {
        let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
        guard width > 0, height > 0, !overflow, pixels <= limits.maxPixels else {
            throw fault(name, "has \(width) x \(height) pixels; 1 to \(limits.maxPixels) are decoded")
        }
        return TensorStorage.allocate(byteCount: pixels * 3)
    }

    // MARK: JPEG

    private static func decodeJPEG(
        _ bytes: UnsafeRawBufferPointer, name: String, limits: PictureLimits
    ) throws(HalcyonError) -> Picture {
        guard let decoder = tjInitDecompress() else { throw fault(name, "can't be decoded: out of memory") }
        defer { tjDestroy(decoder) }
        let source = bytes.bindMemory(to: UInt8.self).baseAddress
        var (width, height, subsampling, space): (Int32, Int32, Int32, Int32) = (0, 0, 0, 0)
        guard
            tjDecompressHeader3(decoder, source, UInt(bytes.count), &width, &height, &subsampling, &space) == 0,
            width > 0, height > 0
        else { throw fault(name, "is a damaged JPEG: \(message(decoder))") }
        let isCMYK = space == Int32(TJCS_CMYK.rawValue) || space == Int32(TJCS_YCCK.rawValue)
        let storage = try allocate(width: Int(width), height: Int(height), name: name, limits: limits)
        let scans = JPEGScans.count(in: bytes)
        let pixels = storage.byteCount / 3
        guard scans <= limits.maxScans, scans <= limits.maxScannedPixels / max(1, pixels) else {
            let most = min(limits.maxScans, limits.maxScannedPixels / max(1, pixels))
            throw fault(name, "has \(scans) scans of \(pixels) pixels each; at most \(most) of that size are decoded")
        }
        if isCMYK {
            let cmyk = TensorStorage.allocate(byteCount: storage.byteCount / 3 * 4)
            try decompress(decoder, bytes, into: cmyk, size: (width, height), format: TJPF_CMYK, name: name)
            convertCMYK(cmyk, into: storage)
        } else {
            try decompress(decoder, bytes, into: storage, size: (width, height), format: TJPF_RGB, name: name)
        }
        return try Picture(width: Int(width), height: Int(height), pixels: TensorBuffer(storage))
    }

    private static func decompress(
        _ decoder: tjhandle, _ bytes: UnsafeRawBufferPointer, into storage: TensorStorage, size: (Int32, Int32),
        format: TJPF, name: String
    ) throws(HalcyonError) {
        let target = storage.baseAddress.assumingMemoryBound(to: UInt8.self)
        let source = bytes.bindMemory(to: UInt8.self).baseAddress
        // A file that ends too early is only a warning to the library, which fills the rest with grey.
        guard
            tjDecompress2(
                decoder, source, UInt(bytes.count), target, size.0, 0, size.1, Int32(format.rawValue), 0) == 0
        else { throw fault(name, "is a damaged JPEG: \(message(decoder))") }
    }

    private static func message(_ decoder: tjhandle) -> String {
        tjGetErrorStr2(decoder).map { String(cString: $0) } ?? "unknown error"
    }

    /// Adobe's files store inverted inks, so that the product of colour and black is the light that is left.
    private static func convertCMYK(_ source: TensorStorage, into target: TensorStorage) {
        let inks = source.baseAddress.assumingMemoryBound(to: UInt8.self)
        let light = target.baseAddress.assumingMemoryBound(to: UInt8.self)
        for pixel in 0..<source.byteCount / 4 {
            let black = UInt32(inks[4 * pixel + 3])
            for channel in 0..<3 {
                light[3 * pixel + channel] = UInt8(UInt32(inks[4 * pixel + channel]) * black / 255)
            }
        }
    }

    // MARK: PNG

    private static func decodePNG(
        _ bytes: UnsafeRawBufferPointer, name: String, limits: PictureLimits
    ) throws(HalcyonError) -> Picture {
        var image = png_image()
        image.version = UInt32(PNG_IMAGE_VERSION)
        defer { png_image_free(&image) }
        guard png_image_begin_read_from_memory(&image, bytes.baseAddress, bytes.count) != 0 else {
            throw fault(name, "is a damaged PNG: \(message(image))")
        }
        let pixelSize = Self.sampleSize(image.format)
        image.format = UInt32(PNG_FORMAT_FLAG_COLOR)
        let storage = try allocate(width: Int(image.width), height: Int(image.height), name: name, limits: limits)
        let samples = storage.byteCount / 3 * pixelSize
        guard samples <= limits.maxSampleBytes else {
            throw fault(
                name,
                "has \(image.width) x \(image.height) pixels of \(pixelSize) bytes; files of up to "
                    + "\(limits.maxSampleBytes) such bytes are decoded")
        }
        // Where there is transparency, it is laid over black.
        var background = png_color()
        guard png_image_finish_read(&image, &background, storage.baseAddress, 0, nil) != 0 else {
            throw fault(name, "is a damaged PNG: \(message(image))")
        }
        return try Picture(width: Int(image.width), height: Int(image.height), pixels: TensorBuffer(storage))
    }

    /// Bytes of a pixel in the file, as its format says.
    private static func sampleSize(_ format: UInt32) -> Int {
        let hasColor = format & UInt32(PNG_FORMAT_FLAG_COLOR) != 0
        let hasAlpha = format & UInt32(PNG_FORMAT_FLAG_ALPHA) != 0
        let isWide = format & UInt32(PNG_FORMAT_FLAG_LINEAR) != 0
        return ((hasColor ? 3 : 1) + (hasAlpha ? 1 : 0)) * (isWide ? 2 : 1)
    }

    private static func message(_ image: png_image) -> String {
        withUnsafeBytes(of: image.message) { bytes in String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
