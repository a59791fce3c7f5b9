"""Calibration pictures for the small detector: bright blocks on a dark ground, where its grid has cells."""

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 96, 64


def picture(seed, width=WIDTH, height=HEIGHT):
    """Some cells of 16 x 16 pixels are bright, the rest is dim noise."""
    generator = np.random.default_rng(seed)
    cells = generator.random((-(-height // 16), -(-width // 16))) < 0.25
    cells[seed % cells.shape[0], seed % cells.shape[1]] = True
    bright = np.repeat(np.repeat(cells, 16, axis=0), 16, axis=1)[:height, :width]
    noise = generator.integers(0, 60, (height, width, 3))
    return Image.fromarray(np.where(bright[..., np.newaxis], 255 - noise // 4, noise).astype(np.uint8))


def folder(path, count):
    path.mkdir()
    for seed in range(count):
        picture(seed).save(path / f"{seed:03}.png")
    return path
