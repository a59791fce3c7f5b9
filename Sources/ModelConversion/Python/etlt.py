"""`.etlt`, the container of NVIDIA's TAO Toolkit: the payload is an ONNX model, encrypted with a key.

The cipher is NVIDIA's; it is undone by NVIDIA's own package, which the user installs.
"""

import contextlib
import io
import os

import onnx
from google.protobuf.message import DecodeError

from reporting import invalid, unavailable, unsupported

PACKAGE = "nvidia-eff-tao-encryption"
CATALOGUE = (
    "NVIDIA's catalogue also has most of these models as decrypted ONNX files (a version whose name holds "
    "'decrypted'); "
    "download that one and convert it without a key"
)


@contextlib.contextmanager
def decrypted(path, header, folder):
    """The path of the ONNX file inside `path`, in `folder`, where it stays only as long as it is read.

    `header` is what the container's start says: `input_name`, `payload_offset`, and the user's `key`.
    """
    name = os.path.basename(path)
    if header.get("input_name"):
        raise unsupported(
            f"'{name}' holds a UFF model (input '{header['input_name']}'), a format that no current tool "
            f"converts. {CATALOGUE}"
        )
    key = header.get("key")
    if not key:
        raise invalid(f"'{name}' is encrypted: pass the key that it was exported with (-k KEY). {CATALOGUE}")
    offset = header.get("payload_offset", 4)
    if not isinstance(offset, int) or not 4 <= offset < os.path.getsize(path):
        raise invalid(f"'{name}' ends before its payload begins: it is damaged or truncated")
    decrypt_stream = _codec(name)
    plain = io.BytesIO()
    with open(path, "rb") as file:
        file.seek(offset)
        try:
            decrypt_stream(file, plain, key.encode(), encryption=True, rewind=False)
        except Exception:
            # The package's own errors are of many types and quote the file; all of them mean this.
            raise _wrong_key(name) from None
    payload = plain.getvalue()
    if not _is_onnx(payload):
        raise _wrong_key(name)
    target = os.path.join(folder, "decrypted.onnx")
    try:
        with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(payload)
        yield target
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(target)


def _codec(name):
    try:
        from eff_tao_encryption.tao_codec import decrypt_stream
    except ImportError as error:
        absent = isinstance(error, ModuleNotFoundError) and error.name == "eff_tao_encryption"
        what = "is not installed" if absent else f"can't be loaded ({error})"
        raise unavailable(
            f"'{name}' is encrypted, and NVIDIA's package {PACKAGE} that decrypts it {what}. Install it into the "
            f"environment of the conversion (it exists for CPython 3.10 and 3.12 on x86-64). {CATALOGUE}"
        ) from None
    return decrypt_stream


def _is_onnx(payload):
    try:
        model = onnx.load_model_from_string(payload)
    except (DecodeError, ValueError):
        return False
    return bool(model.HasField("graph") and model.graph.node and model.opset_import)


def _wrong_key(name):
    return invalid(f"'{name}' does not decrypt to an ONNX model: the key is wrong, or the file is damaged. {CATALOGUE}")
