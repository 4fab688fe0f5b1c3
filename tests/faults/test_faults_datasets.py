"""Data sets from sources that fail, hang or lie: each kind of source with each kind of harm.

The parsers have their own tests (`tests/data`); here the whole command is given what a source might give.
"""

import contextlib
import functools
import gzip
import hashlib
import http.server
import importlib.util
import io
import itertools
import pickle
import random
import stat
import sys
import tarfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from faults import SEED, held, sample
from sidestep import registry
from sidestep.cli import main
from sidestep.data import archives, arrays, commands, layouts, sources, torchvision_files
from sidestep.data.dataset import ARRAY_NAMES, Dataset, DebianPackage, NpmPackage, Torchvision


def _beside(name, folder):
    """A module of another folder of tests."""
    path = Path(__file__).parents[1] / folder / f"{name}.py"
    found = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


made_data = _beside("made_data", "data")
NPM = NpmPackage("made-data", "1.0.0", folder="package/data", layout="idx")
DEBIAN = DebianPackage("dataset-made", folder="usr/share/made", layout="idx")
PAGE = b"<!DOCTYPE html>\n<html><body><h1>Sign in to the network</h1></body></html>\n" * 20
TABLE = Dataset(
    name="made",
    title="Made",
    shape=(2, 1, 1),
    classes=2,
    sizes={"train": 4, "test": 2},
    digests={},
    mean=(),
    deviation=(),
    scale=1,
    sources=(),
    citation="",
    layout="csv",
    features=("a", "b"),
)
ROWS = [(1.5, 2, 0), (2, 3, 1), (-3, 4, 0), (4, 5.25, 1), (5, 6, 0), (6, 7, 1)]


class Fetching:
    """The command `fetch made`, its outputs, and a folder of programs that stand before all others."""

    def __init__(self, patch, folder, capsys):
        self.patch, self.folder, self.capsys = patch, folder, capsys
        self.output = folder / "results" / "made.safetensors"
        self.mine, self.programs = folder / "mine", folder / "programs"
        self.dataset, self.made = made_data.make()
        self.programs.mkdir()
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.delenv("SIDESTEP_DATA", raising=False)
        patch.setenv("PATH", str(self.programs))
        patch.setattr(registry, "load", lambda *_: SimpleNamespace(DATASET=self.dataset))

    def use(self, *from_sources):
        self.dataset = replace(self.dataset, sources=from_sources)

    def fetch(self):
        """Exit code, and what was said."""
        self.capsys.readouterr()
        words = ["--folder", str(self.mine)] if self.mine.exists() else []
        try:
            main(["fetch", "made", "--output", str(self.output), *words])
            code = 0
        except SystemExit as ended:
            code = ended.code
        return code, self.capsys.readouterr()

    def refuses(self):
        """It ends with one sentence and leaves nothing; the sentence."""
        code, said = self.fetch()
        assert code == 2, said
        lines = said.err.splitlines()
        assert len(lines) == 1 and lines[0].startswith("error: made: "), said.err
        assert not list(self.output.parent.glob("*")) and not list(self.output.parent.glob(".*"))
        assert not (self.folder / "cache" / "sidestep" / "made.safetensors").exists()
        return lines[0]

    def succeeds(self):
        code, said = self.fetch()
        assert code == 0, said.err
        assert made_data.same(arrays.read(self.output), self.made)
        for path in self.output.parent.iterdir():
            path.unlink()
        cache = self.folder / "cache" / "sidestep"
        for path in cache.iterdir() if cache.exists() else ():
            path.unlink()

    def program(self, name, script):
        path = self.programs / name
        path.write_text(script if script.startswith("#!") else f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def gives(self, name, file, data, after=""):
        """A program that leaves a file in its folder."""
        kept = self.folder / f"{name}.given"
        kept.write_bytes(data)
        # No other program is on the path.
        self.program(name, f"/bin/cp '{kept}' '{file}'\n{after}")


@pytest.fixture
def fetching(monkeypatch, tmp_path, capsys):
    return Fetching(monkeypatch, tmp_path, capsys)


# Harm to the bytes of any file.


def cut(share):
    return lambda data: data[: int(len(data) * share)]


def flipped(data):
    found = bytearray(data)
    draw = random.Random(SEED)
    for _ in range(3):
        found[draw.randrange(len(found))] ^= 0xFF
    return bytes(found)


def hostile_pickle(_, mark="/tmp/sidestep-was-here"):
    class Hostile:
        def __reduce__(self):
            return (open, (mark, "w"))

    return pickle.dumps({b"data": Hostile(), b"labels": Hostile()})


BYTES = {
    "empty": lambda _: b"",
    "one byte": lambda data: data[:1],
    "cut after a tenth": cut(0.1),
    "cut in the middle": cut(0.5),
    "cut before the last byte": lambda data: data[:-1],
    "more than it should be": lambda data: data + data,
    "bytes flipped": flipped,
    "zeros": lambda data: bytes(len(data)),
    "ones": lambda data: b"\xff" * len(data),
    "noise": lambda data: random.Random(SEED).randbytes(len(data)),
    "a page": lambda _: PAGE,
    "a packed page": lambda _: gzip.compress(PAGE),
    "a hostile pickle": hostile_pickle,
    "a bomb": lambda _: gzip.compress(bytes(50_000_000)),
    "JSON": lambda _: b'{"error": "rate limit"}',
}


# An archive has ended before: what follows is not read, and what is read has the right digests.
AFTER_THE_END = ("more than it should be", "cut before the last byte")
# So small a tar archive that is not packed is mostly room that is filled with zeros.
IN_THE_ROOM = ("cut in the middle", "bytes flipped")


def idx(found):
    return made_data.idx_files(found.made)


def packed(found):
    return made_data.gzipped(idx(found))


def cifar(found):
    files = {
        f"{layouts.CIFAR_FOLDER}/{name}": made_data.pickled_batch(*batch)
        for name, batch in made_data.batches(found.made).items()
    }
    digests = {Path(name).name: hashlib.md5(data).hexdigest() for name, data in files.items()}
    found.patch.setattr(layouts, "CIFAR_MD5", digests)
    return files


def cifar_archive(found):
    return {layouts.CIFAR_ARCHIVE: made_data.tar_bytes(cifar(found))}


def ours(found):
    path = found.folder / "ours.safetensors"
    arrays.write(path, found.made)
    return {"made.safetensors": path.read_bytes()}


def table(_):
    return {"made.csv": "\n".join(["a,b,target", *(f"{a},{b},{t}" for a, b, t in ROWS)]).encode()}


def use_kind(found, kind):
    """The data set that this kind of files holds."""
    if kind in ("cifar batches", "cifar archive"):
        found.dataset, found.made = made_data.make_colour()
    if kind == "csv":
        folder = found.folder / "known"
        made_data.write(folder, table(found))
        found.made = layouts.read("csv", folder, TABLE, folder)
        digests = {name: arrays.digest(found.made[name]) for name in ARRAY_NAMES}
        found.dataset = replace(TABLE, digests=digests)


FOLDERS = {
    "idx": idx,
    "packed idx": packed,
    "cifar batches": cifar,
    "cifar archive": cifar_archive,
    "safetensors": ours,
    "csv": table,
}
FOLDER_CASES = list(itertools.product(FOLDERS, BYTES))


@pytest.mark.parametrize(("kind", "harm"), sample(FOLDER_CASES, 30))
def test_a_harmed_file_of_a_persons_folder_or_the_cache_is_refused(kind, harm, fetching):
    use_kind(fetching, kind)
    files = FOLDERS[kind](fetching)
    tried = 0
    for name, data in files.items():
        found = BYTES[harm](data)
        made_data.write(fetching.mine, {**files, name: found})
        tried += 1
        if kind == "cifar archive" and harm in AFTER_THE_END:
            fetching.succeeds()
            continue
        told = fetching.refuses()
        assert str(fetching.mine) in told
    made_data.write(fetching.mine, files)
    fetching.succeeds()
    if kind == "safetensors":
        cached = fetching.folder / "cache" / "sidestep" / "made.safetensors"
        (fetching.mine / "made.safetensors").unlink()
        fetching.mine.rmdir()
        made_data.write(cached.parent, {cached.name: BYTES[harm](files["made.safetensors"])})
        code, said = fetching.fetch()
        assert code == 2 and len(said.err.splitlines()) == 1 and f"delete {cached}" in said.err
        assert not list(fetching.output.parent.iterdir())
        cached.unlink()
        tried += 1
    assert not Path("/tmp/sidestep-was-here").exists()
    held("data: a harmed file", tried)


# Archives that npm or apt bring.


def entry(name, kind=tarfile.REGTYPE, link="", data=b"", **more):
    found = tarfile.TarInfo(name)
    found.type, found.linkname, found.size = kind, link, len(data)
    for key, value in more.items():
        setattr(found, key, value)
    return found, data


HOSTILE = {
    "a parent": entry("../outside", data=b"x"),
    "a hidden parent": entry("package/data/../../../outside", data=b"x"),
    "a whole path": entry("/tmp/sidestep-was-here", data=b"x"),
    "a home": entry("~/../../outside", data=b"x"),
    "a backslash": entry("package\\..\\..\\outside", data=b"x"),
    "a link out": entry("package/link", tarfile.SYMTYPE, "/etc/passwd"),
    "a link to a folder": entry("package/data/out", tarfile.SYMTYPE, ".."),
    "a link that hangs": entry("package/link", tarfile.SYMTYPE, "nowhere"),
    "a link to itself": entry("package/link", tarfile.SYMTYPE, "link"),
    "a hard link": entry("package/hard", tarfile.LNKTYPE, "package/data/train-images-idx3-ubyte"),
    "a hard link out": entry("package/hard", tarfile.LNKTYPE, "/etc/passwd"),
    "a character device": entry("package/null", tarfile.CHRTYPE, devmajor=1, devminor=3),
    "a block device": entry("package/disk", tarfile.BLKTYPE, devmajor=8, devminor=0),
    "a pipe": entry("package/pipe", tarfile.FIFOTYPE),
    "a name twice": entry("package/data/train-images-idx3-ubyte", data=b"x"),
    "a file where a folder is": entry("package/data", data=b"x"),
    "a name too long": entry("package/" + "x" * 300, data=b"x"),
    "a path too deep": entry("package/" + "d/" * 2500 + "x", data=b"x"),
    "a size that lies": entry("package/more", data=b"x" * 10, size=10**15),
    "an unknown kind": entry("package/odd", b"Z"),
}


def tar(found, extra=(), folder="package/data", mode="w"):
    """The good files, and an entry more."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as made:
        for name, data in idx(found).items():
            one, _ = entry(f"{folder}/{name}", data=data)
            made.addfile(one, io.BytesIO(data))
        for one, data in extra:
            # What the header says is not what follows.
            made.addfile(
                one, io.BytesIO(data + bytes(one.size - len(data))) if one.size < 100 else None
            )
    return buffer.getvalue()


def npm(found, data):
    found.use(NPM)
    found.gives("npm", "made.tgz", data)


def debian(found, data):
    """The package itself is opened by `dpkg-deb`, whose output is what is read."""
    found.use(DEBIAN)
    found.gives("apt-get", "made.deb", b"deb")
    kept = found.folder / "files.given"
    kept.write_bytes(data)
    found.program("dpkg-deb", f"/bin/cat '{kept}'")


PACKAGES = {"npm": (npm, "package/data", "w:gz"), "debian": (debian, "./usr/share/made", "w")}


@pytest.mark.parametrize("kind", PACKAGES)
@pytest.mark.parametrize("name", sample(list(HOSTILE), 8))
def test_a_hostile_package_is_refused_whole(name, kind, fetching):
    put, folder, mode = PACKAGES[kind]
    if name in ("a name twice", "a file where a folder is") and kind == "debian":
        one, data = HOSTILE[name]
        extra = entry(one.name.replace("package/data", folder), data=data)
    else:
        extra = HOSTILE[name]
    put(fetching, tar(fetching, [extra], folder, mode))
    told = fetching.refuses()
    assert "the archive" in told
    left = {path.name for path in fetching.folder.iterdir()}
    assert "outside" not in left and not Path("/tmp/sidestep-was-here").exists()
    put(fetching, tar(fetching, folder=folder, mode=mode))
    fetching.succeeds()
    held("data: a hostile archive")


@pytest.mark.parametrize("kind", PACKAGES)
@pytest.mark.parametrize("harm", sample(list(BYTES), 6))
def test_a_harmed_package_is_refused(harm, kind, fetching):
    put, folder, mode = PACKAGES[kind]
    good = tar(fetching, folder=folder, mode=mode)
    harmed = BYTES[harm](good)
    put(fetching, harmed)
    if harm in AFTER_THE_END or (kind == "debian" and harm in IN_THE_ROOM):
        fetching.succeeds()
    else:
        fetching.refuses()
    put(fetching, good)
    fetching.succeeds()
    held("data: a harmed package")


@pytest.mark.parametrize("kind", PACKAGES)
@pytest.mark.parametrize("bomb", ["one large file", "many files", "a long header", "zeros"])
def test_a_bomb_is_refused(bomb, kind, fetching, monkeypatch):
    limits = archives.Limits(entries=50, size=1_000_000)
    monkeypatch.setattr(archives, "unpack", functools.partial(archives.unpack, limits=limits))
    put, folder, mode = PACKAGES[kind]
    long = entry("package/long")[0]
    long.pax_headers = {"comment": "x" * 5_000_000}
    extra = {
        "one large file": lambda: [entry("package/large", data=bytes(3_000_000))],
        "many files": lambda: [entry(f"package/{number}", data=b"x") for number in range(60)],
        "a long header": lambda: [(long, b"")],
        "zeros": lambda: [],
    }[bomb]()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as made:
        for one, data in extra:
            made.addfile(one, io.BytesIO(data))
    data = buffer.getvalue() if bomb != "zeros" else bytes(30_000_000)
    put(fetching, gzip.compress(data) if kind == "npm" else data)
    fetching.refuses()
    put(fetching, tar(fetching, folder=folder, mode=mode))
    fetching.succeeds()
    held("data: a bomb")


# Programs that fail.

PROGRAMS = {
    "fails": ("exit 1", "it ended with code 1"),
    "fails with words": ("echo 'npm error code E500' >&2; exit 1", "npm error code E500"),
    "fails with a long text": ("printf '%05000d' 1 >&2; exit 3", "000"),
    "fails with bytes that are no text": ("printf '\\377\\376' >&2; exit 3", "\ufffd"),
    "dies": ("kill -9 $$", "it ended with code -9"),
    "leaves nothing": ("exit 0", "left 0 files"),
    "leaves two files": ("echo a > a.tgz; echo b > b.tgz", "left 2 files"),
    "hangs": ("while :; do :; done", "took more than"),
    "hangs with a child": ("(while :; do :; done) & wait", "took more than"),
    "hangs and hears no signal": ("trap '' TERM INT HUP; while :; do :; done", "took more than"),
    "writes without end": ("while :; do echo y; done", "took more than"),
    "waits for an answer": ("read answer || exit 4", "it ended with code 4"),
    "is no program": ("#!/no/such/interpreter\n", "npm"),
}


def alive(group):
    """Whether a process of the group is there that has not ended."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, own = path.read_text().rpartition(")")[2].split()[:3]
            if int(own) == group and state not in "ZX":
                return True
    return False


@pytest.mark.parametrize("name", sample(list(PROGRAMS), 8))
def test_a_program_that_fails_is_passed_over(name, fetching, monkeypatch):
    script, words = PROGRAMS[name]
    monkeypatch.setattr(
        sources, "SECONDS_DOWNLOAD", 1.0 if "hang" in name or "end" in name else 60.0
    )
    fetching.use(NPM, DEBIAN)
    pids = fetching.folder / "pids"
    mark = "" if script.startswith("#!") else f"echo $$ >> '{pids}'\n"
    fetching.program("npm", f"{mark}{script}")
    told = fetching.refuses()
    assert "npm package made-data 1.0.0: " in told and words in told
    assert "Debian package dataset-made: apt-get is not installed" in told
    for pid in pids.read_text().split() if pids.exists() else ():
        # It and what it started are gone with it.
        deadline = time.monotonic() + 20
        while alive(int(pid)):
            assert time.monotonic() < deadline, "a process was left"
    # The next source is asked.
    debian(fetching, tar(fetching, folder="./usr/share/made"))
    fetching.use(NPM, DEBIAN)
    fetching.succeeds()
    held("data: a program that fails")


def test_a_file_that_may_not_be_run_is_no_program(fetching):
    fetching.use(NPM)
    fetching.program("npm", "exit 0")
    for mode, data in (
        (stat.S_IRUSR, b"#!/bin/sh\n"),
        (0o755, b"\x7fELF" + bytes(50)),
        (0o755, b""),
    ):
        path = fetching.programs / "npm"
        path.chmod(0o644)
        path.write_bytes(data)
        path.chmod(mode)
        assert "npm package made-data 1.0.0: " in fetching.refuses()
        held("data: a program that fails")


# A server.


class Server(http.server.ThreadingHTTPServer):
    """On this machine; it does what `how` says to each request, and nothing to those after its end."""

    daemon_threads = True

    def __init__(self, how, files):
        super().__init__(("127.0.0.1", 0), _Answer)
        self.how, self.files, self.over, self.asked = how, files, threading.Event(), []

    def handle_error(self, *_):
        """A client that went away is what is wanted."""


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        data = self.server.files.get(self.path.rpartition("/")[2], b"")
        match self.server.how:
            case "never answers":
                self.server.over.wait(30)
            case "stops in the middle":
                self._say(data[: len(data) // 2], length=len(data))
                self.server.over.wait(30)
            case "closes in the middle":
                self._say(data[: len(data) // 2], length=len(data))
            case "says a page":
                self._say(PAGE)
            case "says 404":
                self.send_error(404)
            case "says 500":
                self.send_error(500)
            case "sends elsewhere without end":
                self.send_response(302)
                self.send_header("Location", f"{self.path}")
                self.end_headers()
            case "speaks another language":
                self.wfile.write(b"220 mail.example.org ESMTP\r\n")
            case "closes at once":
                self.close_connection = True
            case "gives other bytes":
                self._say(flipped(data))
            case "gives half as if it were all":
                self._say(data[: len(data) // 2])
            case "works":
                self._say(data)
            case how:
                raise AssertionError(how)

    def _say(self, data, length=None):
        self.send_response(200)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving(how, files):
    server = Server(how, files)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


HOW = (
    "never answers",
    "stops in the middle",
    "closes in the middle",
    "says a page",
    "says 404",
    "says 500",
    "sends elsewhere without end",
    "speaks another language",
    "closes at once",
    "gives other bytes",
    "gives half as if it were all",
)


@pytest.fixture(scope="module")
def torchvision():
    """Its downloader, which our program uses."""
    return torchvision_files.import_torchvision()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("how", sample(HOW, 6))
def test_a_server_that_fails_is_passed_over(how, fetching, torchvision, monkeypatch):
    files = packed(fetching)
    known = [(name, hashlib.md5(data).hexdigest()) for name, data in files.items()]
    monkeypatch.setattr(torchvision_files, "import_torchvision", lambda: torchvision)
    run = commands.run

    def in_process(command, folder, seconds, stdout=None):
        """The program of torchvision's files here, the others as ever."""
        if command[0] != sys.executable:
            run(command, folder, seconds, stdout)
            return
        import socket

        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(0.5)
        try:
            # Its bar of progress.
            with contextlib.redirect_stderr(io.StringIO()):
                torchvision_files.download(*command[3:])
        except Exception as error:
            raise commands.UnavailableError(commands.reason(f"error: {error}", 1)) from error
        finally:
            socket.setdefaulttimeout(before)

    monkeypatch.setattr(commands, "run", in_process)
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    fetching.use(Torchvision("Made", layout="idx"), NPM)
    with serving(how, files) as broken, serving("works", files) as good:
        mirrors = [f"http://127.0.0.1:{broken.server_port}/"]
        made = SimpleNamespace(mirrors=mirrors, resources=known)
        monkeypatch.setattr(torchvision, "Made", made, raising=False)
        told = fetching.refuses()
        assert broken.asked and "torchvision: " in told
        # The next source.
        fetching.gives("npm", "made.tgz", tar(fetching, mode="w:gz"))
        fetching.succeeds()
        (fetching.programs / "npm").unlink()
        # The next mirror.
        mirrors.append(f"http://127.0.0.1:{good.server_port}/")
        fetching.succeeds()
        assert good.asked
    held("data: a server that fails")


# Tables.

CELLS = (
    *(
        "",
        " ",
        "x",
        "nan",
        "NaN",
        "inf",
        "-inf",
        "1e999",
        "1e300",
        "0x10",
        "1,5",
        '"',
        "'1'",
        "1_0",
    ),
    *(
        "\0",
        "\ufeff1",
        "١",
        "½",
        "1 2",
        "=1+1",
        "True",
        "None",
        "--1",
        "1e",
        "9" * 400,
        "<td>1</td>",
    ),
)
TABLE_CASES = list(itertools.product(CELLS, ("feature", "class", "name")))


@pytest.mark.parametrize(("cell", "where"), sample(TABLE_CASES, 20))
def test_a_table_with_garbage_is_refused(cell, where, fetching):
    use_kind(fetching, "csv")
    lines = [["a", "b", "target"], *([str(value) for value in row] for row in ROWS)]
    line, column = {"feature": (2, 1), "class": (3, 2), "name": (0, 0)}[where]
    lines[line][column] = cell
    text = "\n".join(",".join(words) for words in lines)
    made_data.write(fetching.mine, {"made.csv": text.encode()})
    told = fetching.refuses()
    assert "made.csv" in told or "SHA-256" in told
    made_data.write(fetching.mine, table(fetching))
    fetching.succeeds()
    held("data: a table with garbage")


def test_a_number_too_large_for_float32_is_named():
    from sidestep.data.formats import table as decode
    from sidestep.errors import UserError

    with pytest.raises(UserError, match="'1e300' in row 2 of column 'a', which is too large"):
        decode(b"a,target\n1,0\n1e300,1\n", ("a",), "class", 2)
    rows, _ = decode(b"a,target\n1,0\n3e38,1\n", ("a",), "class", 2)
    assert np.isfinite(rows).all()
    held("data: a table with garbage")
