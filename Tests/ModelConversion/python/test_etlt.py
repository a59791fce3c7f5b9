"""`.etlt`: with NVIDIA's package, or one of its shape, the payload is decrypted; without, the error says what to do."""

import sys
import types
import unittest
from unittest import mock

import models
from support import ConversionTest, has, needs

import reporting

# Libraries in C can't be loaded twice, as would happen to those that a test loads while it replaces modules.
import openvino_target  # noqa: F401, I001

if has("onnxruntime"):
    import onnx_target  # noqa: F401


def xor(data, key):
    """Stands for NVIDIA's cipher, which is not ours to have."""
    return bytes(byte ^ key[index % len(key)] for index, byte in enumerate(data))


def decrypt_stream(source, target, key, encryption, rewind):
    assert encryption and not rewind
    target.write(xor(source.read(), key))


def package():
    codec = types.ModuleType("eff_tao_encryption.tao_codec")
    codec.decrypt_stream = decrypt_stream
    top = types.ModuleType("eff_tao_encryption")
    top.tao_codec = codec
    return {"eff_tao_encryption": top, "eff_tao_encryption.tao_codec": codec}


class Containers(ConversionTest):
    def setUp(self):
        super().setUp()
        self.plain = models.convolution(self.folder / "plain.onnx").read_bytes()
        self.file = self.folder / "m.etlt"
        self.file.write_bytes(bytes(4) + xor(self.plain, b"tlt_encode"))

    def header(self, **changes):
        return {"input_name": "", "payload_offset": 4, "key": "tlt_encode", **changes}

    def test_decrypted(self):
        targets = ("openvino", *(["onnx"] if has("onnxruntime") else []))
        for target in targets:
            with mock.patch.dict(sys.modules, package()):
                result = self.convert(self.file, format="etlt", etlt=self.header(), verify=True, target=target)
            self.assertEqual(result["inputs"][0]["name"], "picture")
            # The decrypted model is the user's secret: it does not stay behind.
            self.assertEqual(sorted(file.name for file in self.output.iterdir()), sorted(result["files"]))

    def test_wrong_key(self):
        with mock.patch.dict(sys.modules, package()):
            error = self.refusal(self.file, format="etlt", etlt=self.header(key="other"))
        self.assertEqual(error.code, "invalid_argument")
        self.assertIn("the key is wrong", error.message)
        self.assertIn("decrypted ONNX", error.message)
        self.assertNotIn("tlt_encode", error.message)
        self.assertEqual(list(self.output.iterdir()), [])

    def test_no_key(self):
        error = self.refusal(self.file, format="etlt", etlt=self.header(key=None))
        self.assertIn("-k KEY", error.message)

    def test_uff(self):
        error = self.refusal(self.file, format="etlt", etlt=self.header(input_name="input_1", payload_offset=11))
        self.assertEqual(error.code, "unsupported")
        self.assertIn("UFF", error.message)
        self.assertIn("decrypted ONNX", error.message)

    def test_no_package(self):
        with mock.patch.dict(sys.modules, {"eff_tao_encryption": None, "eff_tao_encryption.tao_codec": None}):
            error = self.refusal(self.file, format="etlt", etlt=self.header())
        self.assertEqual(error.code, "unavailable")
        self.assertIn("nvidia-eff-tao-encryption", error.message)
        self.assertIn("3.10 and 3.12", error.message)
        self.assertIn("decrypted ONNX", error.message)

    def test_truncated(self):
        self.file.write_bytes(bytes(4))
        error = self.refusal(self.file, format="etlt", etlt=self.header())
        self.assertIn("ends before its payload begins", error.message)


@needs("eff_tao_encryption")
class NvidiasPackage(ConversionTest):
    """The same with the real cipher, in an environment that has it."""

    def setUp(self):
        super().setUp()
        from eff_tao_encryption.tao_codec import encrypt_stream

        self.file = self.folder / "m.etlt"
        plain = models.convolution(self.folder / "plain.onnx")
        with open(plain, "rb") as source, open(self.file, "wb") as target:
            target.write(bytes(4))
            encrypt_stream(source, target, b"tlt_encode", encryption=True, rewind=False)

    def convert_with(self, key):
        header = {"input_name": "", "payload_offset": 4, "key": key}
        return self.convert(self.file, format="etlt", etlt=header, verify=True)

    def test_right_and_wrong_key(self):
        result = self.convert_with("tlt_encode")
        self.assertLess(max(entry["max_difference"] for entry in result["verify"]), 1e-5)
        with self.assertRaises(reporting.ConversionError) as caught:
            self.convert_with("nvidia_tlt")
        self.assertIn("the key is wrong", caught.exception.message)

    def test_a_payload_cut_short(self):
        data = self.file.read_bytes()
        self.file.write_bytes(data[: len(data) // 2])
        with self.assertRaises(reporting.ConversionError) as caught:
            self.convert_with("tlt_encode")
        self.assertIn("or the file is damaged", caught.exception.message)


if __name__ == "__main__":
    unittest.main()
