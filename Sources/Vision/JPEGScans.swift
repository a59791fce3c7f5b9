/// How many scans a JPEG file has: each is work for the whole picture, however few bytes it takes.
enum JPEGScans {
    /// Reads the file's markers (ITU-T T.81, annex B). What is damaged ends the count: the decoder says what is wrong.
    static func count(in bytes: UnsafeRawBufferPointer) -> Int {
        var scans = 0
        var position = 2
        while let marker = nextMarker(in: bytes, from: &position) {
            switch marker {
            case endOfImage: return scans
            case startOfScan:
                scans += 1
                fallthrough
            default: if !isAlone(marker) { skipSegment(in: bytes, from: &position) }
            }
        }
        return scans
    }

    private static let startOfScan: UInt8 = 0xDA
    private static let endOfImage: UInt8 = 0xD9

    /// Markers without a segment: TEM, RST0 to RST7, SOI.
    private static func isAlone(_ marker: UInt8) -> Bool { marker == 0x01 || (0xD0...0xD8).contains(marker) }

    /// The next marker, behind whatever coded data there is before it; `position` is behind it then.
    private static func nextMarker(in bytes: UnsafeRawBufferPointer, from position: inout Int) -> UInt8? {
        while position + 1 < bytes.count {
            guard bytes[position] == 0xFF else {
                position += 1
                continue
            }
            let second = bytes[position + 1]
            // 0xFF 0x00 is a byte of data, and 0xFF may fill.
            if second == 0xFF {
                position += 1
                continue
            }
            position += 2
            if second != 0x00 { return second }
        }
        return nil
    }

    private static func skipSegment(in bytes: UnsafeRawBufferPointer, from position: inout Int) {
        guard position + 1 < bytes.count else { return position = bytes.count }
        position += max(2, Int(bytes[position]) << 8 | Int(bytes[position + 1]))
    }
}
