"""Pre-processing in the graph: bytes of any size in, the same out as with the picture prepared outside."""

import unittest

import models
import numpy as np
import pictures_of_blocks
import tensorflow_files
from PIL import Image
from support import ConversionTest, has

import pictures


class Embedded(ConversionTest):
    def setUp(self):
        super().setUp()
        self.targets = ("openvino", *(["onnx"] if has("onnxruntime") else []))

    def embedded_and_plain(self, target, model, wish, sizes, plan, name="picture"):
        """Outputs of the model with pre-processing, and of the original fed from outside, for each size of picture."""
        self.convert(model, target=target)
        plain = {}
        chosen = [pictures_of_blocks.picture(seed, *size) for seed, size in enumerate(sizes)]
        for index, picture in enumerate(chosen):
            plain[index] = self.run_result({name: plan.item(picture)})
        result = self.convert(model, target=target, embed_preprocessing=wish, verify=True)
        self.assertEqual(
            result["inputs"], [{"name": name, "type": "UINT8", "dims": [-1, -1, 3], "format": "FORMAT_NHWC"}]
        )
        self.assertEqual(result["outputs"][-1], {"name": "mapping", "type": "FP32", "dims": [8]})
        for index, picture in enumerate(chosen):
            yield picture, self.run_result({name: np.asarray(picture)[np.newaxis]}), plain[index]

    def test_resizes_like_the_server(self):
        model = models.convolution(self.folder / "m.onnx", height=32, width=48)
        sizes = [(48, 32), (96, 32), (32, 96), (480, 320), (16, 16), (208, 64)]
        for target in self.targets:
            for resize in ("letterbox", "stretch"):
                plan = pictures.Plan(48, 32, "nchw", np.dtype(np.float32), (1 / 255,) * 3, (0.0,) * 3, "rgb", resize)
                wish = {"resize": resize}
                for picture, found, expected in self.embedded_and_plain(target, model, wish, sizes, plan):
                    # The picture outside is rounded to bytes before it is scaled, which the graph has no need for: that
                    # is up to 0.06 here, and a shift by one pixel more than 1.
                    difference = np.abs(found["features"] - expected["features"]).max()
                    self.assertLess(difference, 0.1, f"{target} {resize} {picture.size}")

    def test_scale_mean_and_color(self):
        for target in self.targets:
            for layout in ("nchw", "nhwc"):
                model = models.convolution(self.folder / "m.onnx", layout=layout)
                numbers = {"scale": [0.1, 0.2, 0.3], "mean": [10, 20, 30], "color": "bgr", "resize": "stretch"}
                plan = pictures.Plan(
                    24, 16, layout, np.dtype(np.float32), (0.1, 0.2, 0.3), (10.0, 20.0, 30.0), "bgr", "stretch"
                )
                for _, found, expected in self.embedded_and_plain(target, model, numbers, [(24, 16)], plan):
                    np.testing.assert_allclose(found["features"], expected["features"], rtol=1e-4, atol=1e-3)

    def test_the_mapping_leads_back(self):
        model = models.convolution(self.folder / "m.onnx", height=32, width=48)
        for target in self.targets:
            for precision in ("fp32", "bf16" if target == "openvino" else "fp16"):
                self.convert(model, target=target, precision=precision, embed_preprocessing={"resize": "letterbox"})
                found = self.run_result({"picture": np.zeros((2, 100, 1158, 3), np.uint8)})["mapping"]
                # 1158 x 100 becomes 48 x 4, in the middle of 48 x 32.
                row = [1158 / 48, 100 / 4, 0, 14, 1158, 100, 48, 32]
                np.testing.assert_allclose(found, [row, row], rtol=1e-6)

    def test_a_detector_is_letterboxed_without_being_told(self):
        result = self.convert(models.detector(self.folder / "m.onnx"), embed_preprocessing={})
        self.assertTrue(any("letterbox" in notice for notice in result["notices"]))
        picture = pictures_of_blocks.picture(3, 192, 64)
        found = self.run_result({"input_1": np.asarray(picture)[np.newaxis]})
        np.testing.assert_allclose(found["mapping"], [[2, 2, 0, 16, 192, 64, 96, 64]])
        self.assertGreater(found["output_cov/Sigmoid"].max(), 0.5)

    def test_without_a_batch(self):
        model = models.convolution(self.folder / "m.onnx", batch=1)
        for target in self.targets:
            result = self.convert(model, target=target, embed_preprocessing={}, max_batch=0, verify=True)
            self.assertEqual(result["inputs"][0]["dims"], [1, -1, -1, 3])
            self.assertEqual(result["outputs"][-1]["dims"], [1, 8])
            found = self.run_result({"picture": np.zeros((1, 50, 60, 3), np.uint8)})
            self.assertEqual(found["mapping"][0, 4:6].tolist(), [60, 50])

    def test_models_that_take_no_pictures(self):
        error = self.refusal(models.addition(self.folder / "a.onnx"), embed_preprocessing={})
        self.assertIn("one input that is a picture", error.message)
        path = tensorflow_files.frozen_graph(self.folder / "m.pb", dims=(-1, -1, -1, 3))
        error = self.refusal(path, format="tensorflow", embed_preprocessing={})
        self.assertIn("say which one the model shall see (-d)", error.message)
        error = self.refusal(models.convolution(self.folder / "one.onnx", channels=1), embed_preprocessing={})
        self.assertIn("has 1 channels", error.message)

    def test_wishes_that_do_not_fit(self):
        path = models.convolution(self.folder / "m.onnx")
        for wish in ({"scale": [1, 2]}, {"color": "hsv"}, {"resize": "crop"}):
            self.assertEqual(self.refusal(path, embed_preprocessing=wish).code, "invalid_argument")


class Sizes(unittest.TestCase):
    def test_letterboxed_sizes(self):
        for given, expected in {
            (1200, 675): (960, 540),
            (960, 544): (960, 544),
            (100, 100): (544, 544),
            (1, 5000): (1, 544),
            (5000, 1): (960, 1),
        }.items():
            self.assertEqual(pictures.letterboxed_size(*given, 960, 544), expected)

    def test_letterboxed_pixels(self):
        plan = pictures.Plan(8, 4, "nhwc", np.dtype(np.uint8), (1.0,) * 3, (0.0,) * 3, "rgb", "letterbox")
        item = plan.item(Image.new("RGB", (4, 4), (9, 8, 7)))
        self.assertEqual(item.shape, (1, 4, 8, 3))
        self.assertEqual(item[0, 0].tolist(), [[0, 0, 0]] * 2 + [[9, 8, 7]] * 4 + [[0, 0, 0]] * 2)


if __name__ == "__main__":
    unittest.main()
