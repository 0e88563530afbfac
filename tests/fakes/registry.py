"""A real registry on the loopback, Debian's ``docker-registry``, and a pusher that lays a build cache into it as Spack does."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

import httpx

PROGRAM = shutil.which("docker-registry")
NOT_INSTALLED = "docker-registry is not installed (apt-get install docker-registry)"
START_SECONDS = 20
LISTENS = re.compile(r'msg="listening on (127\.0\.0\.1:\d+)"')
USER = "reader"
PASSWORD = "b4-public-test"  # noqa: S105 - of this fake only
HTPASSWD = f"{USER}:$2b$04$abcdefghijklmnopqrstuuNTTregI2gvrKNxj12QCjVr2ew773El6\n"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@contextmanager
def running(storage: Path, folder: Path, auth: Mapping[str, Any] | None = None) -> Iterator[str]:
    """A registry over a storage folder, which others may serve too; gives its host and port. ``folder`` takes its configuration and log.

    It is started as ``docker-registry serve config.json`` (JSON is YAML) on a port of its choice, which its log names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "version": 0.1,
        "log": {"level": "info", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(storage)}, "maintenance": {"uploadpurging": {"enabled": False}}},
        "http": {"addr": "127.0.0.1:0", "secret": "none"},
        **({"auth": auth} if auth else {}),
    }
    (folder / "config.json").write_text(json.dumps(settings))
    with (folder / "log").open("w+") as log:
        process = subprocess.Popen([str(PROGRAM), "serve", str(folder / "config.json")], stdout=log, stderr=log)
        try:
            yield _address(process, folder / "log")
        finally:
            process.terminate()
            process.wait(START_SECONDS)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    end = time.monotonic() + START_SECONDS
    while not (found := LISTENS.search(log.read_text())):
        assert process.poll() is None, f"docker-registry ended: {log.read_text()}"
        assert time.monotonic() < end, f"docker-registry did not start: {log.read_text()}"
        time.sleep(0.01)
    return found[1]


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Blob(NamedTuple):
    """A blob with the media type that manifests give it."""

    data: bytes
    media_type: str = LAYER

    @property
    def descriptor(self) -> dict[str, Any]:
        return {"mediaType": self.media_type, "digest": digest(self.data), "size": len(self.data)}


def manifest_of(config: Blob, *layers: Blob, media_type: str = MANIFEST) -> bytes:
    document = {"mediaType": media_type, "schemaVersion": 2, "config": config.descriptor, "layers": [layer.descriptor for layer in layers]}
    return json.dumps(document, separators=(",", ":")).encode()


def package_config(sample: bytes, archive: bytes) -> bytes:
    """The configuration of a sample, stating the checksum of this archive in place of the one that it was made with."""
    document = json.loads(sample)
    document["binary_cache_checksum"]["hash"] = digest(archive).removeprefix("sha256:")
    return json.dumps({**document, "archive_size": len(archive)}, separators=(",", ":")).encode()


class Pusher:
    """Lays blobs and manifests into a repository of a registry that lets anybody push."""

    def __init__(self, host: str, name: str) -> None:
        self._url = f"http://{host}/v2/{name}"
        self._client = httpx.Client(trust_env=False)
        self._there: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def image(self, tag: str, config: Blob, *layers: Blob, media_type: str = MANIFEST) -> str:
        """Push an image under a tag; gives its manifest's digest."""
        for blob in (config, *layers):
            self._blob(blob.data)
        manifest = manifest_of(config, *layers, media_type=media_type)
        answer = self._client.put(f"{self._url}/manifests/{tag}", content=manifest, headers={"Content-Type": media_type})
        assert answer.status_code == 201, answer.text
        return digest(manifest)

    def index(self, data: bytes) -> None:
        """The index: one layer that says it is an archive and is the plain document, below an empty configuration."""
        self.image("index.spack", Blob(b"{}", CONFIG), Blob(data))

    def _blob(self, data: bytes) -> None:
        if digest(data) in self._there:
            return
        begun = self._client.post(f"{self._url}/blobs/uploads/")
        answer = self._client.put(httpx.URL(begun.headers["location"]).copy_merge_params({"digest": digest(data)}), content=data)
        assert answer.status_code == 201, answer.text
        self._there.add(digest(data))
