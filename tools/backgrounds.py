"""Create the folders of background pictures for `lookalike train --backgrounds` and `lookalike evaluate`.

    .venv/bin/python -m tools.backgrounds FOLDER [PACKAGE…]

It downloads Debian packages (1.5 GB, with apt-get: on Debian, after `apt-get update`), extracts wallpapers, textures
and drawings without clothing, scales them down, and writes FOLDER/train and FOLDER/test: no picture is in both, and
some packages are in FOLDER/test only. The same packages give the same files. Nothing else in Lookalike needs it.
"""

import random
import re
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
# Excluded by the path: pictures of clothing, and files that are not pictures of something.
UNWANTED = re.compile(
    r"shirt|shoe|boot|sock|bag|watch|pant|jean|glass|jewel|ring|neckl|cloth|wear|hat|dress|suit|scarf|coat|fashion"
    r"|icon|alpha|mask|normal|font|menu|gui",
    re.IGNORECASE,
)
LEAST, MOST = 100, 60_000_000  # pixels: of the shorter side; of the whole picture
LONGEST = 800  # pixels a side, after making smaller
QUALITY = 88
GROUNDS = 4  # of this many transparent pictures, one is put onto a colour, the others onto white


class BackgroundsError(Exception):
    """The folder cannot be created. The text is one sentence."""


@dataclass(frozen=True)
class Share:
    """The largest number of pictures of a package in FOLDER/train and in FOLDER/test."""

    train: int
    test: int


PACKAGES = {
    "gnome-backgrounds": Share(99, 0),
    "plasma-workspace-wallpapers": Share(99, 0),
    "ukui-wallpapers": Share(99, 0),
    "mate-backgrounds": Share(0, 99),
    "lxqt-themes": Share(0, 30),
    "supertuxkart-data": Share(700, 250),
    "stellarium-data": Share(80, 40),
    "tuxpaint-stamps-default": Share(330, 250),
    "trigger-rally-data": Share(10, 0),
    "extremetuxracer-data": Share(60, 20),
    "openclipart-png": Share(250, 120),
    "gimp-data": Share(0, 40),
}


def download(package: str, folder: Path) -> Path:
    """Fetch a package's file into a folder.

    Raises:
        BackgroundsError: apt-get is not there, or cannot.
    """
    try:
        done = subprocess.run(["apt-get", "download", "-qq", package], cwd=folder, capture_output=True, text=True)  # noqa: S603, S607
    except FileNotFoundError:
        raise BackgroundsError("there is no apt-get: the packages are Debian's") from None
    files = sorted(folder.glob(f"{package}_*.deb"))
    if done.returncode or not files:
        reason = (done.stderr.strip().splitlines() or ["nothing came"])[-1]
        raise BackgroundsError(f"{package} cannot be downloaded: {reason}; has apt-get update been run?")
    return files[-1]


def unpack(file: Path, folder: Path) -> list[Path]:
    """Write a package's wanted pictures into a folder, numbered, and return them in the order of their paths in it.

    Raises:
        BackgroundsError: it is no package.
    """
    command = ["dpkg-deb", "--fsys-tarfile", str(file)]
    paths: dict[str, Path] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:  # noqa: S603
        assert process.stdout
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
                for member in archive:
                    data = archive.extractfile(member) if wanted(member) else None
                    if data:
                        paths[member.name] = folder / f"{len(paths)}{Path(member.name).suffix.lower()}"
                        paths[member.name].write_bytes(data.read())
        except tarfile.TarError:
            raise BackgroundsError(f"{file.name} is no Debian package") from None
    return [paths[name] for name in sorted(paths)]


def wanted(member: tarfile.TarInfo) -> bool:
    """Return whether the path of a file in a package is that of a picture to use."""
    return member.isfile() and member.name.lower().endswith(SUFFIXES) and not UNWANTED.search(member.name)


def smaller(path: Path, rng: random.Random) -> Image.Image | None:
    """Return a picture in its final size; None if it is too small, too large or broken."""
    try:
        with Image.open(path) as picture:
            if min(picture.size) < LEAST or picture.width * picture.height > MOST:
                return None
            picture.draft("RGB", (LONGEST, LONGEST))
            kept = flat(picture, rng)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    kept.thumbnail((LONGEST, LONGEST))
    return kept


def flat(picture: Image.Image, rng: random.Random) -> Image.Image:
    """Return a picture without transparency."""
    if picture.mode == "RGB":
        return picture.copy()
    cut = picture.convert("RGBA")
    colour = (rng.randrange(256), rng.randrange(256), rng.randrange(256)) if rng.randrange(GROUNDS) == 0 else "white"
    ground = Image.new("RGB", cut.size, colour)
    ground.paste(cut, mask=cut.getchannel("A"))
    return ground


def add(package: str, pictures: list[Path], share: Share, folder: Path) -> dict[str, int]:
    """Write a package's share of pictures, drawn with its name as seed; return the numbers for train and test."""
    rng, counts = random.Random(package), {"train": 0, "test": 0}
    for path in rng.sample(pictures, len(pictures)):
        part = "train" if counts["train"] < share.train else "test"
        if counts[part] >= getattr(share, part):
            break
        if picture := smaller(path, rng):
            (folder / part).mkdir(parents=True, exist_ok=True)
            picture.save(folder / part / f"{package}-{counts[part]:04}.jpg", quality=QUALITY)
            counts[part] += 1
    return counts


def make(folder: Path, packages: list[str]) -> None:
    """Download the packages, one after the other, and write their pictures."""
    for package in packages:
        with tempfile.TemporaryDirectory() as temporary:
            place = Path(temporary)
            counts = add(package, unpack(download(package, place), place), PACKAGES[package], folder)
        sys.stdout.write(f"{package}: {counts['train']} to train, {counts['test']} to test\n")


def main(arguments: list[str]) -> int:
    """Run the program; return its exit status."""
    if not arguments or arguments[0].startswith("-") or set(arguments[1:]) - set(PACKAGES):
        sys.stderr.write(f"{__doc__}\nThe packages: {', '.join(PACKAGES)}\n")
        return 2
    try:
        make(Path(arguments[0]), arguments[1:] or list(PACKAGES))
    except (BackgroundsError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
