import Foundation
import Tensors
import Vision

/// A picture whose pixels are made by a rule.
func makePicture(_ width: Int, _ height: Int, _ pixel: (Int, Int) -> (UInt8, UInt8, UInt8)) throws -> Picture {
    var bytes: [UInt8] = []
    for y in 0..<height {
        for x in 0..<width {
            let (red, green, blue) = pixel(x, y)
            bytes += [red, green, blue]
        }
    }
    return try Picture(width: width, height: height, pixels: TensorBuffer(copying: bytes))
}

extension Picture {
    func pixel(_ x: Int, _ y: Int) -> [UInt8] {
        pixels.withUnsafeBytes { Array($0[(y * width + x) * 3..<(y * width + x) * 3 + 3]) }
    }

    var bytes: [UInt8] { pixels.withUnsafeBytes { Array($0) } }
}

func decode(_ bytes: [UInt8], limits: PictureLimits = PictureLimits()) throws -> Picture {
    try bytes.withUnsafeBytes { try PictureDecoder.decode($0, name: "test picture", limits: limits) }
}

/// A smooth picture, which a JPEG keeps nearly as it is.
func gradient(_ width: Int, _ height: Int) throws -> Picture {
    try makePicture(width, height) { x, y in
        (UInt8(x * 255 / max(1, width - 1)), UInt8(y * 255 / max(1, height - 1)), 128)
    }
}

/// A folder that is gone with the value.
final class TemporaryFolder {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("halcyon-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
