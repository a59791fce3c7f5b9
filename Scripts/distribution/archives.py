"""Archives that depend on names, contents and modes alone: sorted, of one time, and owned by root."""

import gzip
import hashlib
import io
import lzma
import tarfile


class Tree:
    """Files by their paths, without a slash in front; folders are made of them."""

    def __init__(self):
        self.files = {}

    def add(self, path, content, mode=0o644):
        if path in self.files:
            raise ValueError(f"{path} is added twice")
        self.files[path] = (content.encode() if isinstance(content, str) else bytes(content), mode)

    def below(self, prefix):
        tree = Tree()
        tree.files = {f"{prefix}/{path}": file for path, file in self.files.items()}
        return tree

    def size(self):
        return sum(len(content) for content, _ in self.files.values())

    def folders(self):
        found = set()
        for path in self.files:
            parts = path.split("/")[:-1]
            found |= {"/".join(parts[: count + 1]) for count in range(len(parts))}
        return found

    def tar(self, time, prefix=""):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
            entries = {path: (None, 0o755) for path in self.folders()} | self.files
            if prefix:
                entries[""] = (None, 0o755)
            for path in sorted(entries):
                content, mode = entries[path]
                info = tarfile.TarInfo(prefix + path)
                info.mtime, info.mode = time, mode
                info.uname = info.gname = "root"
                if content is None:
                    info.type = tarfile.DIRTYPE
                    archive.addfile(info)
                else:
                    info.size = len(content)
                    archive.addfile(info, io.BytesIO(content))
        return buffer.getvalue()


def tar_gz(tree, time):
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=buffer, mode="wb", compresslevel=6, mtime=0) as packed:
        packed.write(tree.tar(time))
    return buffer.getvalue()


def deb(control, data, time, is_packed=True):
    """A Debian package of the files of its control archive and its own."""
    control.add("md5sums", "".join(
        f"{hashlib.md5(content, usedforsecurity=False).hexdigest()}  {path}\n"
        for path, (content, _) in sorted(data.files.items())
    ))  # fmt: skip
    members = [
        ("debian-binary", b"2.0\n"),
        ("control.tar.xz", lzma.compress(control.tar(time, "./"), preset=2)),
        ("data.tar.xz", lzma.compress(data.tar(time, "./"), preset=2)) if is_packed else ("data.tar", data.tar(time, "./")),
    ]
    packed = b"!<arch>\n"
    for name, content in members:
        packed += f"{name:<16}{time:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode() + content
        packed += b"\n" * (len(content) % 2)
    return packed
