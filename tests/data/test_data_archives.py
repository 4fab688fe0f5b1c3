"""Archives: whole and harmless, or nothing."""

import gzip
import io
import tarfile
from pathlib import Path

import made_data
import pytest

from sidestep.data.archives import Limits, unpack
from sidestep.errors import UserError


def _tar(*entries: tarfile.TarInfo, data: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        good = tarfile.TarInfo("good")
        good.size = 2
        tar.addfile(good, io.BytesIO(b"ok"))
        for entry in entries:
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _entry(
    name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0
) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname, entry.size = kind, link, size
    return entry


def _sparse() -> tarfile.TarInfo:
    entry = _entry("sparse")
    entry.pax_headers = {"GNU.sparse.size": str(10**15), "GNU.sparse.map": "0,0"}
    return entry


HOSTILE = {
    "parent": _entry("../outside"),
    "hidden parent": _entry("a/../../outside"),
    "absolute": _entry("/tmp/outside"),
    "backslash": _entry("..\\outside"),
    "symlink": _entry("link", tarfile.SYMTYPE, "/etc/passwd"),
    "inner symlink": _entry("link", tarfile.SYMTYPE, "good"),
    "hard link": _entry("link", tarfile.LNKTYPE, "good"),
    "outer hard link": _entry("link", tarfile.LNKTYPE, "../outside"),
    "character device": _entry("device", tarfile.CHRTYPE),
    "block device": _entry("device", tarfile.BLKTYPE),
    "pipe": _entry("pipe", tarfile.FIFOTYPE),
    "sparse": _sparse(),
    "twice": _entry("good"),
    "twice, spelt otherwise": _entry("./good"),
    "below a file": _entry("good/inner"),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_archives_are_refused_whole(tmp_path: Path, kind: str, packed: bool) -> None:
    data = _tar(HOSTILE[kind])
    archive = tmp_path / "inner" / "archive.tar"
    made_data.write(tmp_path, {"inner/archive.tar": gzip.compress(data) if packed else data})
    with pytest.raises(UserError, match=r"archive\.tar"):
        unpack(archive, tmp_path / "inner" / "target")
    assert [path.name for path in tmp_path.rglob("*")] == ["inner", "archive.tar"]


def test_a_good_archive_is_unpacked(tmp_path: Path) -> None:
    files = {"a/one": b"1", "./a/b/two": b"2" * 5000, "three": b""}
    for mode in ("w", "w:gz"):
        made_data.write(tmp_path, {"archive": made_data.tar_bytes(files, mode)})
        target = tmp_path / mode
        unpack(tmp_path / "archive", target)
        found = {
            str(p.relative_to(target)): p.read_bytes() for p in target.rglob("*") if p.is_file()
        }
        assert found == {"a/one": b"1", "a/b/two": b"2" * 5000, "three": b""}


def _refused(tmp_path: Path, data: bytes, limits: Limits, match: str) -> None:
    made_data.write(tmp_path, {"archive": data})
    with pytest.raises(UserError, match=match):
        unpack(tmp_path / "archive", tmp_path / "target", limits)
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]


def test_bombs_are_refused(tmp_path: Path) -> None:
    limits = Limits(entries=10, size=100_000)
    large = made_data.tar_bytes({"large": bytes(2_000_000)})
    _refused(tmp_path, large, limits, "larger than 100000 bytes")
    together = made_data.tar_bytes({str(number): bytes(30_000) for number in range(5)})
    _refused(tmp_path, together, limits, "more than 100000 bytes")
    many = made_data.tar_bytes({str(number): b"" for number in range(11)})
    _refused(tmp_path, many, limits, "more than 10 entries")
    header = _entry("header")
    header.pax_headers = {"comment": "x" * 1_000_000}
    _refused(tmp_path, gzip.compress(_tar(header)), limits, "more than 100000 bytes")


def test_damaged_archives_are_refused(tmp_path: Path) -> None:
    good = made_data.tar_bytes({"one": bytes(range(256)) * 100})
    for data in (b"", b"text that is no archive" * 40, good[:-30], good[:40] + b"\xff" + good[41:]):
        _refused(tmp_path, data, Limits(), "archive")
