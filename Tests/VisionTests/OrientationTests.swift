import CPNG
import Tensors
import Testing

@testable import Vision

@Suite("Orientation of pictures")
struct OrientationTests {
    /// EXIF data with one entry.
    private func exif(
        _ orientation: UInt16, isLittle: Bool = true, type: UInt16 = 3, count: UInt32 = 1, tag: UInt16 = 0x0112
    ) -> [UInt8] {
        func short(_ value: UInt16) -> [UInt8] {
            let bytes = [UInt8(value & 0xFF), UInt8(value >> 8)]
            return isLittle ? bytes : bytes.reversed()
        }
        func long(_ value: UInt32) -> [UInt8] {
            let (low, high) = (short(UInt16(value & 0xFFFF)), short(UInt16(value >> 16)))
            return isLittle ? low + high : high + low
        }
        let value = type == 4 ? long(UInt32(orientation)) : short(orientation) + [0, 0]
        return Array((isLittle ? "II" : "MM").utf8) + short(42) + long(8) + short(1) + short(tag) + short(type)
            + long(count) + value + long(0)
    }

    private func bigEndian(_ value: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(value >> $0 & 0xFF) } }

    /// A JPEG with a segment of EXIF data.
    private func jpeg(_ picture: Picture, _ exif: [UInt8]) throws -> [UInt8] {
        let bytes = try PictureEncoder.jpeg(picture, quality: 95)
        let content = Array("Exif\0\0".utf8) + exif
        let length = bigEndian(content.count + 2).suffix(2)
        return Array(bytes.prefix(2)) + [0xFF, 0xE1] + length + content + bytes.dropFirst(2)
    }

    /// A PNG with a chunk of EXIF data, before the pixels or behind them.
    private func png(_ picture: Picture, _ exif: [UInt8], isBehind: Bool = false) throws -> [UInt8] {
        var image = png_image()
        image.version = UInt32(PNG_IMAGE_VERSION)
        image.width = UInt32(picture.width)
        image.height = UInt32(picture.height)
        image.format = UInt32(PNG_FORMAT_FLAG_COLOR)
        var size = 65536
        var bytes = [UInt8](repeating: 0, count: size)
        let status = picture.bytes.withUnsafeBytes {
            png_image_write_to_memory(&image, &bytes, &size, 0, $0.baseAddress, 0, nil)
        }
        try #require(status != 0)
        bytes = Array(bytes.prefix(size))
        let checked = Array("eXIf".utf8) + exif
        let chunk = bigEndian(exif.count) + checked + bigEndian(Int(crc(checked)))
        let place = isBehind ? size - 12 : 33
        return Array(bytes[..<place]) + chunk + Array(bytes[place...])
    }

    private func crc(_ bytes: [UInt8]) -> UInt32 {
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        return ~crc
    }

    /// The numbers of six pixels as they are stored, and as they stand upright; all by their rows.
    private static let turned: [(UInt16, [[UInt8]])] = [
        (1, [[1, 2, 3], [4, 5, 6]]), (2, [[3, 2, 1], [6, 5, 4]]), (3, [[6, 5, 4], [3, 2, 1]]),
        (4, [[4, 5, 6], [1, 2, 3]]), (5, [[1, 4], [2, 5], [3, 6]]), (6, [[4, 1], [5, 2], [6, 3]]),
        (7, [[6, 3], [5, 2], [4, 1]]), (8, [[3, 6], [2, 5], [1, 4]]),
    ]

    @Test("A PNG is turned as its eXIf chunk says", arguments: turned)
    func png(orientation: UInt16, rows: [[UInt8]]) throws {
        let stored = try makePicture(3, 2) { x, y in (UInt8(y * 3 + x + 1), 0, 200) }
        for (isLittle, isBehind) in [(true, false), (false, true)] {
            let bytes = try png(stored, exif(orientation, isLittle: isLittle), isBehind: isBehind)
            let picture = try decode(bytes)
            #expect(picture.width == rows[0].count && picture.height == rows.count)
            let seen = (0..<picture.height).map { y in (0..<picture.width).map { picture.pixel($0, y)[0] } }
            #expect(seen == rows)
            #expect(picture.pixel(0, 0)[2] == 200)
        }
    }

    @Test("A JPEG is turned as its EXIF segment says", arguments: turned)
    func jpeg(orientation: UInt16, rows: [[UInt8]]) throws {
        // Six blocks of one colour each.
        let stored = try makePicture(96, 64) { x, y in (UInt8((y / 32 * 3 + x / 32 + 1) * 40), 128, 128) }
        for type in [UInt16(3), 4] {
            let picture = try decode(try jpeg(stored, exif(orientation, isLittle: type == 3, type: type)))
            #expect(picture.width == rows[0].count * 32 && picture.height == rows.count * 32)
            for (y, row) in rows.enumerated() {
                for (x, number) in row.enumerated() {
                    #expect(abs(Int(picture.pixel(x * 32 + 16, y * 32 + 16)[0]) - Int(number) * 40) < 8)
                }
            }
        }
    }

    @Test("A note that is damaged or means nothing changes nothing, and is no error")
    func damagedNotes() throws {
        let stored = try makePicture(3, 2) { x, y in (UInt8(y * 3 + x + 1), 0, 0) }
        let good = exif(6)
        var notes: [[UInt8]] = [
            exif(0), exif(9), exif(6, count: 0), exif(6, count: .max), exif(6, type: 2), exif(6, tag: 0x0113),
        ]
        notes += (0..<good.count - 4).filter { $0 < 20 }.map { Array(good.prefix($0)) }
        // A directory that begins in itself, beyond the end, and with more entries than there are bytes.
        for (offset, value) in [(4, UInt8(0)), (4, 1), (7, 0xFF), (8, 0xFF), (9, 0xFF), (0, 0), (2, 0)] {
            var damaged = exif(6, tag: 1)
            damaged[offset] = value
            notes.append(damaged)
        }
        for note in notes {
            for bytes in [try png(stored, note), try jpeg(stored, note)] {
                let picture = try decode(bytes)
                #expect(picture.width == 3 && picture.height == 2, "\(note)")
            }
        }
    }

    @Test("Any bytes may stand where notes do")
    func anyBytes() {
        var generator = SplitMix(state: 7)
        for _ in 0..<20_000 {
            let bytes = (0..<Int(generator.next() % 64)).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
            let heads: [[UInt8]] = [
                [], [0xFF, 0xD8, 0xFF, 0xE1, 0, 40] + Array("Exif\0\0II*\0".utf8), Array("MM\0*".utf8),
            ]
            for head in heads {
                (head + bytes).withUnsafeBytes { all in
                    _ = ExifOrientation.ofJPEG(all)
                    _ = ExifOrientation.ofPNG(all)
                    _ = ExifOrientation.ofTIFF(all)
                }
            }
        }
    }
}

/// The same numbers each time.
private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
