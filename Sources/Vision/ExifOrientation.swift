/// Finds the orientation that a camera has noted in a picture's EXIF data. What is damaged counts as not being there:
/// no picture is refused for it, and nothing outside of the file's bytes is read.
enum ExifOrientation {
    // MARK: Files

    static func ofJPEG(_ bytes: UnsafeRawBufferPointer) -> Orientation {
        var position = 2
        // Every step leads further on, and so out of the file at last.
        while true {
            guard let marker = bigEndian16(bytes, position), marker >= 0xFF01 else { return .upright }
            // A fill byte before a marker.
            if marker == 0xFFFF {
                position += 1
                continue
            }
            // The pixels begin, or the file ends.
            guard marker != 0xFFDA, marker != 0xFFD9, let length = bigEndian16(bytes, position + 2), length >= 2 else {
                return .upright
            }
            let content = part(bytes, position + 4, Int(length) - 2)
            if marker == 0xFFE1, content.starts(with: Array("Exif\0\0".utf8)) {
                return ofTIFF(UnsafeRawBufferPointer(rebasing: content.dropFirst(6)))
            }
            position += 2 + Int(length)
        }
    }

    static func ofPNG(_ bytes: UnsafeRawBufferPointer) -> Orientation {
        var position = 8
        while true {
            guard let length = bigEndian32(bytes, position), let type = bigEndian32(bytes, position + 4),
                type != 0x4945_4E44
            else { return .upright }
            // "eXIf", which may stand behind the pixels, too.
            if type == 0x6558_4966 {
                return ofTIFF(UnsafeRawBufferPointer(rebasing: part(bytes, position + 8, Int(length))))
            }
            position += 12 + Int(length)
        }
    }

    /// As many of the bytes at a place as are there.
    private static func part(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ count: Int) -> Slice<
        UnsafeRawBufferPointer
    > {
        let start = min(max(0, start), bytes.count)
        return bytes[start..<min(bytes.count, start + max(0, count))]
    }

    private static func bigEndian16(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt16? {
        number(bytes, offset, as: UInt16.self)?.bigEndian
    }

    private static func bigEndian32(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt32? {
        number(bytes, offset, as: UInt32.self)?.bigEndian
    }

    private static func number<Number: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer, _ offset: Int, as type: Number.Type
    ) -> Number? {
        guard offset >= 0, offset <= bytes.count - MemoryLayout<Number>.size else { return nil }
        return bytes.loadUnaligned(fromByteOffset: offset, as: type)
    }

    // MARK: TIFF

    /// Reads the first directory of what EXIF data is: a small TIFF file. No other directory is followed, so that none
    /// can lead in a circle.
    static func ofTIFF(_ bytes: UnsafeRawBufferPointer) -> Orientation {
        guard let order = bigEndian16(bytes, 0), order == 0x4949 || order == 0x4D4D else { return .upright }
        let isLittle = order == 0x4949
        func short(_ offset: Int) -> UInt16? {
            number(bytes, offset, as: UInt16.self).map { isLittle ? $0.littleEndian : $0.bigEndian }
        }
        func long(_ offset: Int) -> UInt32? {
            number(bytes, offset, as: UInt32.self).map { isLittle ? $0.littleEndian : $0.bigEndian }
        }
        guard short(2) == 42, let start = long(4), let count = short(Int(start)) else { return .upright }
        for index in 0..<Int(count) {
            let entry = Int(start) + 2 + index * 12
            guard let tag = short(entry), let type = short(entry + 2), let values = long(entry + 4) else {
                return .upright
            }
            guard tag == 0x0112 else { continue }
            // One short, in the first bytes of its place; some programs write it as a long.
            guard values == 1, type == 3 || type == 4 else { return .upright }
            let value = type == 3 ? short(entry + 8) : long(entry + 8).flatMap { UInt16(exactly: $0) }
            return value.flatMap(Orientation.init(rawValue:)) ?? .upright
        }
        return .upright
    }
}
