"""Google's and Azure's stores, and archives of the web, from small servers that check what they are asked."""

import base64
import hashlib
import hmac
import io
import json
import subprocess
import tarfile
import urllib.parse
import zipfile

from lifecycle import infer
from server import identity
from stores import SECRET, Endpoint, Handler, StoreTest

FILES = {
    "models/one/config.pbtxt": identity(["FP32"]).encode(), "models/one/1/a b+ü.bin": b"x" * 3000,
    "models/two/config.pbtxt": identity(["FP32"]).encode(), "models/two/1/.keep": b"",
}  # fmt: skip


def md5(body):
    return base64.b64encode(hashlib.md5(body).digest()).decode()


class Google(StoreTest):
    def store(self, test, tokens):
        class Store(Handler):
            def do_GET(self):
                parts = urllib.parse.urlsplit(self.path)
                query = dict(urllib.parse.parse_qsl(parts.query))
                if self.headers.get("Authorization") != "Bearer the-token":
                    return self.answer(401, b'{"error": {"code": 401, "message": "Anonymous caller does not have access"}}')
                if parts.path == "/storage/v1/b/bucket/o":
                    keys = [key for key in sorted(FILES) if key.startswith(query.get("prefix", ""))]
                    # One at a time, so that the listing has several parts.
                    start = int(query.get("pageToken", 0))
                    items = [
                        {"name": key, "size": str(len(FILES[key])), "generation": "17", "md5Hash": md5(FILES[key])}
                        for key in keys[start : start + 1]
                    ]
                    listing = {"kind": "storage#objects", "items": items}
                    if start + 1 < len(keys):
                        listing["nextPageToken"] = str(start + 1)
                    return self.answer(200, json.dumps(listing).encode())
                key = urllib.parse.unquote(parts.path.removeprefix("/storage/v1/b/bucket/o/"))
                if key not in FILES or query != {"alt": "media", "generation": "17"}:
                    return self.answer(404, b'{"error": {"code": 404, "message": "No such object"}}')
                return self.content(FILES[key])

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                tokens.append(dict(urllib.parse.parse_qsl(body)))
                self.answer(200, b'{"access_token": "the-token", "expires_in": 3600}')

        return Endpoint(Store)

    def test_served_with_a_service_account(self):
        key = subprocess.run(["openssl", "genrsa", "2048"], capture_output=True, text=True, check=False)
        if key.returncode != 0:
            self.skipTest("there is no openssl")
        tokens = []
        with self.store(self, tokens) as store:
            account = self.folder / "account.json"
            fields = {"type": "service_account", "client_email": "models@example.com", "private_key": key.stdout,
                      "private_key_id": "17", "token_uri": f"{store.url}/token"}  # fmt: skip
            account.write_text(json.dumps(fields))
            access = {"STORAGE_EMULATOR_HOST": store.url, "GOOGLE_APPLICATION_CREDENTIALS": str(account)}
            with self.server("gs://bucket/models", **access) as server:
                self.assertEqual(infer(server, "one")[0], 200)
                self.assertEqual(infer(server, "two")[0], 200)
                self.assertNotIn("the-token", server.text())
            self.assertEqual(self.copies()["one/1/a b+ü.bin"].read_bytes(), b"x" * 3000)
            text = self.refusal("gs://bucket/models", STORAGE_EMULATOR_HOST=store.url)
            self.assertIn("lets nobody in without credentials", text)
            self.assertIn("GOOGLE_APPLICATION_CREDENTIALS", text)
        self.assertEqual(tokens[0]["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer")
        # The signature is one that anybody can check who has the public key.
        signed, _, signature = tokens[0]["assertion"].rpartition(".")
        (self.folder / "key").write_text(key.stdout)
        subprocess.run(["openssl", "rsa", "-in", self.folder / "key", "-pubout", "-out", self.folder / "public"], check=True, capture_output=True)
        (self.folder / "signature").write_bytes(base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4)))
        checked = subprocess.run(
            ["openssl", "dgst", "-sha256", "-verify", self.folder / "public", "-signature", self.folder / "signature"],
            input=signed.encode(), capture_output=True, check=False)  # fmt: skip
        self.assertEqual(checked.returncode, 0, checked.stderr)


class Azure(StoreTest):
    KEY = base64.b64encode(SECRET.encode()).decode()

    @classmethod
    def authorization(cls, handler):
        """The signature that the account's key makes of a request."""
        parts = urllib.parse.urlsplit(handler.path)
        headers = {name.lower(): value for name, value in handler.headers.items()}
        names = ["content-encoding", "content-language", "content-length", "content-md5", "content-type", "date",
                 "if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range"]  # fmt: skip
        lines = [handler.command, *(headers.get(name, "") for name in names)]
        lines += [f"{name}:{headers[name]}" for name in sorted(headers) if name.startswith("x-ms-")]
        lines.append(f"/account{parts.path}")
        query = urllib.parse.parse_qsl(parts.query, keep_blank_values=True)
        lines += [f"{name.lower()}:{value}" for name, value in sorted(query)]
        digest = hmac.new(base64.b64decode(cls.KEY), "\n".join(lines).encode(), "sha256").digest()
        return f"SharedKey account:{base64.b64encode(digest).decode()}"

    @staticmethod
    def listing(keys, following):
        blobs = "".join(
            f"<Blob><Name>{key}</Name><Properties><Content-Length>{len(FILES[key])}</Content-Length><Etag>0x1</Etag>"
            f"<Content-MD5>{md5(FILES[key])}</Content-MD5></Properties></Blob>"
            for key in keys
        )
        return (
            '\ufeff<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="container"><Blobs>'
            f"{blobs}</Blobs><NextMarker>{following}</NextMarker></EnumerationResults>"
        ).encode()

    def store(self):
        case = self

        class Store(Handler):
            def do_GET(self):
                parts = urllib.parse.urlsplit(self.path)
                query = dict(urllib.parse.parse_qsl(parts.query))
                is_signed = self.headers.get("Authorization") == case.authorization(self)
                if not is_signed and query.pop("sig", None) != "a+b/=":
                    body = "\ufeff<Error><Code>AuthenticationFailed</Code><Message>Server failed to authenticate.\nTime</Message></Error>"
                    return self.answer(403, body.encode(), x_ms_error_code="AuthenticationFailed")
                if parts.path == "/account/container":
                    keys = [key for key in sorted(FILES) if key.startswith(query.get("prefix", ""))]
                    start = int(query.get("marker", 0))
                    return self.answer(200, case.listing(keys[start : start + 2], start + 2 if start + 2 < len(keys) else ""))
                key = urllib.parse.unquote(parts.path.removeprefix("/account/container/"))
                if key not in FILES or self.headers["If-Match"] != '"0x1"':
                    return self.answer(404)
                return self.content(FILES[key], ETag='"0x1"')

        return Endpoint(Store)

    def test_served_with_a_key_and_with_a_shared_access_signature(self):
        with self.store() as store:
            location = f"as://127.0.0.1:{store.port}/account/container/models"
            with self.server(location, AZURE_STORAGE_ACCOUNT="account", AZURE_STORAGE_KEY=self.KEY) as server:
                self.assertEqual(infer(server, "one")[0], 200)
                self.assertEqual(infer(server, "two")[0], 200)
                self.assertNotIn(self.KEY, server.text())
            self.assertEqual(self.copies()["one/1/a b+ü.bin"].read_bytes(), b"x" * 3000)
            connection = f"AccountName=account;BlobEndpoint={store.url}/account;SharedAccessSignature=sv=1&sig=a%2Bb%2F%3D"
            with self.server("as://account/container/models", AZURE_STORAGE_CONNECTION_STRING=connection) as server:
                self.assertEqual(infer(server, "one")[0], 200)
                self.assertNotIn("a%2Bb%2F%3D", server.text())
            wrong = base64.b64encode(b"another").decode()
            text = self.refusal(location, AZURE_STORAGE_KEY=wrong)
            self.assertIn("the store refuses the signature (AuthenticationFailed): the secret that came from AZURE_STORAGE_KEY", text)


class Archives(StoreTest):
    @staticmethod
    def tar(mode):
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode=mode, format=tarfile.PAX_FORMAT) as archive:
            for name, body in [*FILES.items(), (f"models/one/1/{'long' * 40}.bin", b"y" * 70_000)]:
                info = tarfile.TarInfo(name)
                info.size = len(body)
                archive.addfile(info, io.BytesIO(body))
        return data.getvalue()

    @staticmethod
    def zip():
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, body in FILES.items():
                archive.writestr(name, body)
        return data.getvalue()

    def store(self, files):
        asked = self.asked = []

        class Store(Handler):
            def do_GET(self):
                parts = urllib.parse.urlsplit(self.path)
                asked.append((self.path, self.headers.get("Range")))
                if parts.path == "/latest.zip":
                    return self.answer(302, Location="/models.zip")
                if parts.path not in files:
                    return self.answer(404)
                return self.content(files[parts.path])

        return Endpoint(Store)

    def test_served(self):
        files = {"/models.tar.gz": self.tar("w:gz"), "/a/b.tar": self.tar("w"), "/models.zip": self.zip()}
        with self.store(files) as store:
            for path, body in files.items():
                location = f"{store.url}{path}?token={SECRET}#sha256={hashlib.sha256(body).hexdigest()}"
                with self.server(location) as server:
                    self.assertEqual(infer(server, "one")[0], 200)
                    self.assertEqual(infer(server, "two")[0], 200)
                self.assertEqual(self.copies()["one/1/a b+ü.bin"].read_bytes(), b"x" * 3000)
                count = len(self.asked)
                with self.server(location) as server:
                    self.assertEqual(infer(server, "one")[0], 200)
                # What the checksum vouches for is not asked for again.
                self.assertEqual(len(self.asked), count)

    def test_another_checksum_and_another_form(self):
        files = {"/models.tar.gz": self.tar("w:gz"), "/bad.tar.gz": b"not gzip at all, but bytes" * 100}
        with self.store(files) as store:
            text = self.refusal(f"{store.url}/models.tar.gz#sha256={'0' * 64}")
            self.assertIn(f"the archive's SHA-256 is {hashlib.sha256(files['/models.tar.gz']).hexdigest()}", text)
            text = self.refusal(f"{store.url}/bad.tar.gz#sha256={hashlib.sha256(files['/bad.tar.gz']).hexdigest()}")
            self.assertIn("is not compressed as its name says", text)
            text = self.refusal(f"{store.url}/none.tar.gz#sha256={'0' * 64}")
            self.assertIn("none.tar.gz': there is nothing at that address (404)", text)

    def test_an_archive_that_is_elsewhere_and_without_a_folder_around_it(self):
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            for name, body in FILES.items():
                archive.writestr(name.removeprefix("models/"), body)
        with self.store({"/models.zip": data.getvalue()}) as store:
            location = f"{store.url}/latest.zip#sha256={hashlib.sha256(data.getvalue()).hexdigest()}"
            with self.server(location) as server:
                self.assertEqual(infer(server, "two")[0], 200)
