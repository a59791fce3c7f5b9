"""Each wrong setting is one sentence with the next step."""

import json
import socket
import ssl
import subprocess
import time
import unittest
import urllib.request

from server import free_port
from stores import SECRET, Endpoint, Handler, S3Test, StoreTest


class Refusals(S3Test):
    def test_wrong_bucket_and_prefix(self):
        text = self.refusal("s3://no-such-bucket/models", **self.access())
        self.assertIn("the model repository 's3://no-such-bucket/models': there is no bucket of that name", text)
        self.assertIn("aws s3 ls s3://no-such-bucket/", text)
        self.put("other/x", b"x")
        text = self.refusal(f"s3://{self.bucket}/models", **self.access())
        self.assertIn(f"there is nothing under 'models/' in the bucket '{self.bucket}'", text)


class Keys(S3Test):
    """With a store that looks at signatures."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        iam = cls.make("iam")
        iam.create_user(UserName="reader")
        key = iam.create_access_key(UserName="reader")["AccessKey"]
        cls.key, cls.secret = key["AccessKeyId"], key["SecretAccessKey"]
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
        iam.put_user_policy(UserName="reader", PolicyName="all", PolicyDocument=json.dumps(policy))
        iam.create_user(UserName="nobody")
        key = iam.create_access_key(UserName="nobody")["AccessKey"]
        cls.nobody = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
        cls.addClassCleanup(lambda: cls.check_keys(1_000_000_000))

    @classmethod
    def check_keys(cls, after):
        request = urllib.request.Request(f"{cls.url}/moto-api/reset-auth", data=str(after).encode(), headers={"Content-Type": "text/plain"})
        urllib.request.urlopen(request, timeout=30).read()

    def test_keys(self):
        self.put_model("one")
        self.put("models/one/1/a+b ü&'(x)*.bin", b"x")
        self.check_keys(0)
        try:
            location = f"s3://{self.bucket}/models"
            where = {"AWS_ENDPOINT_URL": self.url, "AWS_REGION": "us-east-1"}
            with self.server(location, **where, AWS_ACCESS_KEY_ID=self.key, AWS_SECRET_ACCESS_KEY=self.secret) as server:
                self.assertEqual(server.get("/v2/models/one/ready")[0], 200)
                self.assertNotIn(self.secret, server.text())
            text = self.refusal(location, **where, AWS_ACCESS_KEY_ID=self.key, AWS_SECRET_ACCESS_KEY=SECRET)
            self.assertIn("the store refuses the signature (SignatureDoesNotMatch): the secret that came from the environment", text)
            text = self.refusal(location, **where, AWS_ACCESS_KEY_ID="AKIANOBODY", AWS_SECRET_ACCESS_KEY=SECRET)
            self.assertIn("the store does not know the key (InvalidAccessKeyId), which came from the environment", text)
            text = self.refusal(location, **where, **self.nobody)
            self.assertIn("s3:ListBucket for the bucket and s3:GetObject", text)
        finally:
            self.check_keys(1_000_000_000)


class Others(StoreTest):
    def test_nobody_listens(self):
        text = self.refusal("s3://bucket/models", AWS_ENDPOINT_URL=f"http://127.0.0.1:{free_port()}")
        self.assertIn("can't be reached, after several tries (Connection refused)", text)
        self.assertIn("copy the models into a folder (aws s3 sync s3://bucket/models models)", text)

    def test_no_credentials(self):
        class Closed(Handler):
            def do_GET(self):
                self.answer(403, b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")

        with Endpoint(Closed) as store:
            text = self.refusal("s3://bucket/models", AWS_ENDPOINT_URL=store.url)
        self.assertIn("lets nobody in without credentials", text)
        self.assertIn("looked for the environment (AWS_ACCESS_KEY_ID), a web identity", text)

    def test_a_region_that_the_store_names_is_taken(self):
        asked = []

        class Elsewhere(Handler):
            def do_GET(self):
                asked.append(self.headers.get("Authorization", ""))
                if "/eu-west-9/" in asked[-1]:
                    return self.answer(404, b"<Error><Code>NoSuchBucket</Code><Message>none</Message></Error>")
                body = b"<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region is wrong</Message><Region>eu-west-9</Region></Error>"
                return self.answer(400, body)

        with Endpoint(Elsewhere) as store:
            access = {"AWS_ENDPOINT_URL": store.url, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": SECRET}
            self.assertIn("there is no bucket", self.refusal("s3://bucket/models", **access))
        self.assertEqual(["/us-east-1/" in line for line in asked], [True, False])

    def test_a_clock_that_is_off(self):
        class Late(Handler):
            def date_time_string(self, timestamp=None):
                return super().date_time_string(time.time() + 7200)

            def do_GET(self):
                body = b"<Error><Code>RequestTimeTooSkewed</Code><Message>The difference is too large.</Message></Error>"
                self.answer(403, body)

        with Endpoint(Late) as store:
            access = {"AWS_ENDPOINT_URL": store.url, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": SECRET}
            text = self.refusal("s3://bucket/models", **access)
        self.assertRegex(text, r"this machine's clock differs from the store's by 7[12]\d\d s.*timedatectl")

    def test_certificates(self):
        key, certificate = self.folder / "key.pem", self.folder / "certificate.pem"
        made = subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", key,
             "-out", certificate, "-addext", "subjectAltName=DNS:localhost"], capture_output=True, check=False)  # fmt: skip
        if made.returncode != 0:
            self.skipTest("there is no openssl")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)

        class Empty(Handler):
            def do_GET(self):
                self.answer(404, b"<Error><Code>NoSuchBucket</Code><Message>none</Message></Error>")

        with Endpoint(Empty, context) as store:
            by_name = f"https://localhost:{store.port}"
            text = self.refusal("s3://bucket/models", AWS_ENDPOINT_URL=by_name)
            self.assertIn("nobody that this machine trusts vouches for the certificate of localhost", text)
            self.assertIn("AWS_CA_BUNDLE", text)
            text = self.refusal("s3://bucket/models", AWS_ENDPOINT_URL=by_name, AWS_CA_BUNDLE=str(certificate))
            self.assertIn("there is no bucket", text)
            text = self.refusal("s3://bucket/models", AWS_ENDPOINT_URL=store.url, AWS_CA_BUNDLE=str(certificate))
            self.assertIn("is for another name", text)
        with Endpoint(Empty) as store:
            text = self.refusal("s3://bucket/models", AWS_ENDPOINT_URL=store.url.replace("http:", "https:"))
            self.assertIn("does not speak TLS", text)

    def test_addresses_that_are_none(self):
        for address, reason in [
            ("https://host/models", "only archives are taken"), ("https://host/models.zip", "needs the archive's checksum"),
            ("s3://", "is no bucket's name"), ("as://account", "as://ACCOUNT/CONTAINER/PREFIX"),
        ]:  # fmt: skip
            self.assertIn(reason, self.refusal(address))
        self.assertIn("AWS_REGION is a name", self.refusal("s3://bucket", AWS_REGION="a/b"))
        self.assertIn("AWS_PROFILE names the profile 'x'", self.refusal("s3://bucket", AWS_PROFILE="x"))
        self.assertIn("AWS_ENDPOINT_URL takes an address", self.refusal("s3://bucket", AWS_ENDPOINT_URL="localhost"))

    def test_not_ready_without_its_store(self):
        port = free_port()
        server = self.server(
            "s3://bucket/models", "--exit-on-error=false", "--model-control-mode=poll", "--repository-poll-secs=1",
            AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}",
        ).server  # fmt: skip
        server.start()
        try:
            deadline = time.monotonic() + 60
            while "the server is not ready" not in server.text() and time.monotonic() < deadline:
                time.sleep(0.05)
            self.assertEqual(server.get("/v2/health/live")[0], 200)
            self.assertEqual(server.get("/v2/health/ready")[0], 400)
        finally:
            status, text = server.end()
        self.assertEqual(status, 0, text)
