"""Pictures of the user's, and how they become what a model takes. The same resize as the server's own."""

import os
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image

from reporting import invalid

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
# Of one picture; a file may claim any number.
PIXEL_LIMIT = 100_000_000
LIST_LIMIT = 10_000
# By EXIF's orientation.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Plan:
    """From a picture of any size to one item of a model's input: x' = (x - mean) * scale in each channel."""

    width: int
    height: int
    layout: str
    dtype: np.dtype
    scale: tuple
    mean: tuple
    color: str
    resize: str

    def item(self, picture):
        """`[1, ...]`, as the model takes it."""
        return self.of_pixels(self.fitted(picture))

    def fitted(self, picture):
        """The picture's pixels at the network's size, bytes in [height, width, RGB]."""
        if self.resize == "stretch":
            return np.asarray(picture.resize((self.width, self.height), Image.Resampling.BILINEAR))
        width, height = letterboxed_size(picture.width, picture.height, self.width, self.height)
        resized = np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))
        frame = np.zeros((self.height, self.width, 3), np.uint8)
        left, top = (self.width - width) // 2, (self.height - height) // 2
        frame[top : top + height, left : left + width] = resized
        return frame

    def of_pixels(self, pixels):
        if self.color == "bgr":
            pixels = pixels[:, :, ::-1]
        if self.dtype != np.uint8:
            pixels = (pixels.astype(np.float32) - np.float32(self.mean)) * np.float32(self.scale)
        if self.layout == "nchw":
            pixels = pixels.transpose(2, 0, 1)
        return np.ascontiguousarray(pixels[np.newaxis], dtype=self.dtype)


def letterboxed_size(width, height, frame_width, frame_height):
    """The largest size of the same aspect ratio that fits, in whole numbers only, so that any engine gets the same."""
    if width * frame_height >= height * frame_width:
        return frame_width, max(1, (2 * height * frame_width + width) // (2 * width))
    return max(1, (2 * width * frame_height + height) // (2 * height)), frame_height


def load(path):
    """The picture in RGB. Raises for what is none, is damaged, or claims an absurd size."""
    name = os.path.basename(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                if picture.width * picture.height > PIXEL_LIMIT:
                    raise invalid(
                        f"the picture '{name}' has {picture.width} x {picture.height} pixels; the limit is "
                        f"{PIXEL_LIMIT}"
                    )
                turn = _turn(picture)
                upright = picture.transpose(turn) if turn is not None else picture
                return upright.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise invalid(f"the picture '{name}' can't be read: {error}") from None


def _turn(picture):
    """What makes the picture stand upright, by the camera's note of how it was held; None for nothing."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return TURNS.get(picture.getexif().get(0x0112))
    except Exception:
        # Damaged notes count as none: their reader raises whatever it meets.
        return None


def variants(picture):
    """The picture as it might have been taken otherwise: mirrored, darker, brighter, and its middle."""
    width, height = picture.size
    box = (width * 15 // 100, height * 15 // 100, width - width * 15 // 100, height - height * 15 // 100)
    return [
        picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        picture.point(lambda value: value * 3 // 5),
        picture.point(lambda value: min(255, value * 7 // 5)),
        picture.crop(box) if min(width, height) >= 10 else picture,
    ]


def files(path):
    """The pictures of a folder, those that a text file lists one a line (relative to itself), or the one picture."""
    if os.path.isdir(path):
        found = sorted(name for name in os.listdir(path) if name.lower().endswith((*ENDINGS, ".npz")))
        if not found:
            raise invalid(f"the folder '{path}' holds no pictures ({', '.join(ENDINGS)}) and no arrays (.npz)")
        return [os.path.join(path, name) for name in found[:LIST_LIMIT]]
    if not os.path.isfile(path):
        raise invalid(f"there is no calibration data at '{path}'")
    if path.lower().endswith((*ENDINGS, ".npz")):
        return [path]
    return _listed(path)


def _listed(path):
    name = os.path.basename(path)
    with open(path, "rb") as file:
        start = file.read(1 << 20)
    if start.startswith(b"TRT"):
        raise invalid(
            f"'{name}' is a calibration cache of TensorRT, which holds ranges of that engine's own layers: pass a "
            "folder of "
            "pictures, or a text file that lists some"
        )
    try:
        lines = [line.strip() for line in start.decode("utf-8").splitlines()]
    except UnicodeDecodeError:
        raise invalid(f"'{name}' is neither a picture nor a text file that lists pictures") from None
    folder = os.path.dirname(os.path.abspath(path))
    found = [os.path.join(folder, line) for line in lines if line and not line.startswith("#")]
    for entry in found:
        if not os.path.isfile(entry):
            raise invalid(f"'{name}' lists '{os.path.relpath(entry, folder)}', which is no file")
    if not found:
        raise invalid(f"'{name}' lists no pictures")
    return found[:LIST_LIMIT]
