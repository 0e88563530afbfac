"""Mirrors in buckets, read through a ``mirrors.yaml`` from moto's server on the loopback."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import Run
from fakes.mirrors import index, node, old_node, put, put_v2, put_v2_spec, put_v3, put_v3_spec

pytestmark = [pytest.mark.skipif(find_spec("moto") is None, reason="moto is not installed"), pytest.mark.usefixtures("impatient", "quick")]

ACCOUNT = "123456789012"
SECRET = "wJalrXUtnFEMI-not-a-real-one"  # noqa: S105
ZLIB, PNG = node("zlib"), node("libpng")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def quick(no_aws: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - the environment is what counts
    monkeypatch.setenv("THE_SECRET", SECRET)


class Bucket:
    """A bucket and the list of mirrors that names its prefix ``m``."""

    def __init__(self, name: str, endpoint: str, folder: Path) -> None:
        from moto.s3.models import s3_backends

        self.name = name
        self.backend = s3_backends[ACCOUNT]["aws"]
        self.backend.create_bucket(name, "us-east-1")
        entry = f"{{url: s3://{name}/m, endpoint_url: '{endpoint}', access_pair: {{id: AKIAEXAMPLE, secret_variable: THE_SECRET}}}}"
        self.list = put(folder / "mirrors.yaml", f"mirrors:\n  site: {entry}\n".encode())

    def load(self, root: Path) -> None:
        for path in sorted(p for p in root.rglob("*") if p.is_file()):
            self.backend.put_object(self.name, f"m/{path.relative_to(root).as_posix()}", path.read_bytes())

    def remove(self, *names: str) -> None:
        for name in names:
            self.backend.delete_object(self.name, f"m/{name}")


@pytest.fixture
def bucket(endpoint: str, tmp_path: Path, request: pytest.FixtureRequest) -> Bucket:
    return Bucket(f"b{abs(hash(request.node.name))}", endpoint, tmp_path)


def test_an_unchanged_mirror_sends_no_index(run: Run, bucket: Bucket, tmp_path: Path, catalog: Path) -> None:
    root = tmp_path / "m"
    blob = put_v3(root, index(ZLIB)).relative_to(root).as_posix()
    put_v3_spec(root, ZLIB, signed=True)
    bucket.load(root)
    assert run("sync", bucket.list).err == "site: mirror v3, 1 records, read\n"
    (row,) = run("sources", "--json").document["sources"]
    assert (row["location"], row["url"], row["signed"]) == (f"s3://{bucket.name}/m",) * 2 + (True,)
    bucket.remove(blob)
    assert run("sync", bucket.list).err == "site: mirror v3, 1 records, unchanged\n"
    refreshed = run("sync", bucket.list, "--refresh")
    assert refreshed.code == 6
    assert "note: site keeps its 1 records of" in refreshed.err
    stored = b"".join(path.read_bytes() for path in catalog.parent.glob(f"{catalog.name}*"))
    assert SECRET.encode() not in stored
    assert SECRET not in refreshed.err


def test_both_layouts_count(run: Run, bucket: Bucket, tmp_path: Path) -> None:
    put_v3(tmp_path / "m", index(ZLIB), view="team/two")
    put_v2(tmp_path / "m", index(old_node("libpng"), version="7"))
    bucket.load(tmp_path / "m")
    expected = ["site-team-two: mirror v3, 1 records, read", "site-v2: mirror v2, 1 records, read"]
    assert run("sync", bucket.list).err.splitlines() == expected


def test_without_an_index_spec_files_are_read(run: Run, bucket: Bucket, tmp_path: Path) -> None:
    put_v3_spec(tmp_path / "m", ZLIB)
    put_v3_spec(tmp_path / "m", PNG, ZLIB)
    put_v2_spec(tmp_path / "m", old_node("hdf5"), signed=True)
    bucket.load(tmp_path / "m")
    lines = run("sync", bucket.list).err.splitlines()
    assert lines[:2] == ["site: mirror v3, 2 records, read", "site-v2: mirror v2, 1 records, read"]
    assert lines[2].startswith("note: site: it has no index, so its 2 spec files were read one by one")
    assert run("sync", bucket.list, "--offline").err.count("unchanged") == 2


def test_there_is_no_mirror(run: Run, bucket: Bucket) -> None:
    result = run("sync", bucket.list)
    assert result.code == 5
    assert f"there is no mirror at s3://{bucket.name}/m" in result.err
