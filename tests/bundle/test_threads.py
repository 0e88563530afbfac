"""Threads that read a kind of document for the first time, at once."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
from pathlib import Path
from resolver.emit import build_cache
from resolver.formats import keys, manifest, oci, spec_file
from resolver.sources import entry, folder, keyring, registry_cache

called = []
sys.setprofile(lambda frame, event, _: called.append(frame.f_code.co_name) if event == "call" else None)
blob = manifest.Blob(1, "x", "none", "sha256", "a" * 64)
manifest.read_manifest(build_cache.manifest_document([blob]))
node = b'{"name":"zlib","version":"1","hash":"%b"}' % (b"a" * 32)
list(spec_file.read_spec_file(b'{"spec":{"_meta":{"version":5},"nodes":[%b]}}' % node).records(in_buildcache=True))
keys.read_key_index(b'{"keys":{}}')
oci.read_image_manifest(b'{"schemaVersion":2,"config":{"digest":"sha256:%b","size":1},"layers":[{"digest":"sha256:%b","size":1}]}' % ((b"a" * 64,) * 2))
oci.stated_checksum(b'{"spec":{}}')
folder._read_note(Path(sys.argv[1]))
build_cache._config.decode(b"{}")
sys.setprofile(None)
print(called.count("get_class_annotations"), called.count("read_manifest"))
"""


def test_types_are_laid_out_before_threads_use_them() -> None:
    """msgspec calls this function when it lays a type out; two threads that do so for one type crash the interpreter."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, "/dev/null"], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "1"]
