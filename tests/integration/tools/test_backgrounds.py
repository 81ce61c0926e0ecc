"""The maker of background folders, on a package made here."""

import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from tools import backgrounds
from tools.backgrounds import BackgroundsError, Share, add, download, main, unpack

needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is Debian's")


def picture(path: Path, size: tuple[int, int] = (900, 300), mode: str = "RGB") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.effect_noise(size, 50).convert(mode).save(path)
    return path


@pytest.fixture
def package(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "DEBIAN").mkdir(parents=True)
    control = "Package: walls\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n"
    (root / "DEBIAN" / "control").write_text(control)
    for name in ("walls/b.png", "walls/a.jpg", "walls/shirt.png", "walls/text.txt", "icons/c.png"):
        picture(root / "usr" / "share" / name) if name[-3:] != "txt" else (root / "usr/share" / name).write_text("x")
    file = tmp_path / "walls_1_all.deb"
    subprocess.run(["dpkg-deb", "--build", root, file], check=True, capture_output=True)
    return file


@needs_dpkg
def test_a_packages_pictures_are_taken_out_but_what_is_worn_and_icons(package: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    actual = unpack(package, tmp_path / "out")
    assert [path.suffix for path in actual] == [".jpg", ".png"]


@needs_dpkg
def test_what_is_no_package_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.deb").write_text("no package")
    with pytest.raises(BackgroundsError, match=r"x\.deb is no Debian package"):
        unpack(tmp_path / "x.deb", tmp_path)


def test_pictures_are_made_smaller_and_divided_without_overlap(tmp_path: Path) -> None:
    pictures = [picture(tmp_path / f"{n}.png", (1000, 400 + n)) for n in range(6)]
    small, broken = picture(tmp_path / "small.png", (90, 300)), tmp_path / "broken.png"
    broken.write_text("no picture")
    counts = add("walls", [*pictures, small, broken], Share(4, 1), tmp_path / "out")
    assert counts == {"train": 4, "test": 1}
    made = sorted((tmp_path / "out").rglob("*.jpg"))
    sizes = [Image.open(path).size for path in made]
    assert [path.parent.name for path in made] == ["test", *["train"] * 4]
    assert all(width == 800 for width, _ in sizes)
    first = [path.read_bytes() for path in made]
    assert len(set(first)) == 5
    add("walls", [*pictures, small, broken], Share(4, 1), tmp_path / "again")
    assert [path.read_bytes() for path in sorted((tmp_path / "again").rglob("*.jpg"))] == first


def test_transparency_is_laid_onto_a_ground(tmp_path: Path) -> None:
    pictures = [tmp_path / f"{n}.png" for n in range(12)]
    for path in pictures:
        Image.new("RGBA", (200, 200), (255, 0, 0, 0)).save(path)
    add("stamps", pictures, Share(12, 0), tmp_path / "out")
    grounds = [Image.open(path).getpixel((100, 100)) for path in sorted((tmp_path / "out" / "train").iterdir())]
    assert 6 <= grounds.count((255, 255, 255)) < 12


def test_an_unknown_package_prints_what_there_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), "no-such-package"]) == 2
    assert "gnome-backgrounds" in capsys.readouterr().err


def test_without_apt_get_or_with_one_that_fails_it_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main([str(tmp_path / "out"), "gimp-data"]) == 1
    assert capsys.readouterr().err == "error: there is no apt-get: the packages are Debian's\n"
    failing = tmp_path / "apt-get"
    failing.write_text("#!/bin/sh\necho 'E: Unable to locate package' >&2\nexit 100\n")
    failing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(BackgroundsError, match="gimp-data cannot be downloaded: E: Unable to locate package"):
        download("gimp-data", tmp_path)


def test_the_packages_are_downloaded_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = picture(tmp_path / "a.png")
    monkeypatch.setattr(backgrounds, "download", lambda package, folder: source)
    monkeypatch.setattr(backgrounds, "unpack", lambda file, folder: [file])
    assert main([str(tmp_path / "out"), "gimp-data", "gnome-backgrounds"]) == 0
    assert capsys.readouterr().out == "gimp-data: 0 to train, 1 to test\ngnome-backgrounds: 1 to train, 0 to test\n"
