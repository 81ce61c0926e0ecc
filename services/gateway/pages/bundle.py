"""Scripts that import others, as one file.

Each module becomes a block of its own, whose names no other block sees; its exports are in `modules`. Biome formats the
sources, so that each import and export begins a line and has one of the forms below.
"""

import json
import posixpath
import re
from collections.abc import Iterator, Mapping

IMPORT = re.compile(r"^import (\{[^}]*\}) from \"(\.[^\"]+)\";\n", re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?(?:const|function|class) (\w+))", re.MULTILINE)
DYNAMIC = re.compile(r"(?<=\bimport\()([\"`])(\.[^\"`]+)")
OTHER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def bundle(entry: str, files: Mapping[str, bytes]) -> bytes:
    """Return a script with all that it imports, to be served from the same folder. It exports what the script does.

    Args:
        entry: the script.
        files: all files by their path.

    Raises:
        ValueError: a script has an import or an export of another form.
    """
    names = list(_ordered(entry, files, set()))
    folder = posixpath.dirname(entry)
    blocks = "".join(_block(name, files[name].decode(), folder) for name in names)
    exported = _exports(files[entry].decode())
    last = f"export const {{ {', '.join(exported)} }} = modules[{json.dumps(entry)}];\n" if exported else ""
    return f"const modules = {{}};\n{blocks}{last}".encode()


def _ordered(name: str, files: Mapping[str, bytes], done: set[str]) -> Iterator[str]:
    """Yield a script and all that it imports, each after those that it imports itself."""
    done.add(name)
    for _, path in IMPORT.findall(files[name].decode()):
        other = _resolved(name, path)
        if other not in done:
            yield from _ordered(other, files, done)
    yield name


def _block(name: str, text: str, folder: str) -> str:
    def imported(match: re.Match[str]) -> str:
        names = re.sub(r"\bas\b", ":", match[1])
        return f"const {names} = modules[{json.dumps(_resolved(name, match[2]))}];\n"

    def loaded(match: re.Match[str]) -> str:
        path = posixpath.relpath(_resolved(name, match[2]), folder)
        return match[1] + (path if path.startswith(".") else f"./{path}")

    exports = _exports(text)
    body = EXPORT.sub("", IMPORT.sub(imported, DYNAMIC.sub(loaded, text)))
    other = OTHER.search(body)
    if other:
        raise ValueError(f"{name} cannot be bundled: {other[0]}")
    return f"{{\n{body}modules[{json.dumps(name)}] = {{ {', '.join(exports)} }};\n}}\n"


def _exports(text: str) -> list[str]:
    return EXPORT.findall(text)


def _resolved(name: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
