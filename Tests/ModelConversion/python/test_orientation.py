"""Calibration pictures stand upright, as the server sees them."""

import io
import tempfile
import unittest
from pathlib import Path

import support  # noqa: F401
import numpy as np
import pictures
from PIL import Image

# The numbers of six pixels as they are stored, and as they stand upright; all by their rows.
TURNED = {
    1: [[1, 2, 3], [4, 5, 6]], 2: [[3, 2, 1], [6, 5, 4]], 3: [[6, 5, 4], [3, 2, 1]], 4: [[4, 5, 6], [1, 2, 3]],
    5: [[1, 4], [2, 5], [3, 6]], 6: [[4, 1], [5, 2], [6, 3]], 7: [[6, 3], [5, 2], [4, 1]], 8: [[3, 6], [2, 5], [1, 4]],
}  # fmt: skip


class Orientation(unittest.TestCase):
    def load(self, exif):
        stored = Image.fromarray(np.array([[1, 2, 3], [4, 5, 6]], np.uint8)).convert("RGB")
        bytes_ = io.BytesIO()
        stored.save(bytes_, "PNG", exif=exif)
        path = Path(self.enterContext(tempfile.TemporaryDirectory())) / "picture.png"
        path.write_bytes(bytes_.getvalue())
        return np.asarray(pictures.load(str(path)))[:, :, 0].tolist()

    def test_pictures_are_turned(self):
        for orientation, rows in TURNED.items():
            exif = Image.Exif()
            exif[0x0112] = orientation
            self.assertEqual(self.load(exif), rows, orientation)

    def test_damaged_notes_change_nothing(self):
        for exif in (b"II*\x00\x08\x00\x00\x00\xff\xff", b"MM\x00*", b"II*\x00\xff\xff\xff\xff", b"\x00" * 40):
            self.assertEqual(self.load(exif), TURNED[1])


if __name__ == "__main__":
    unittest.main()
