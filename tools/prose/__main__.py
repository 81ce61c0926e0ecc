"""`python -m tools.prose`: print each avoided word and broken link as file:line; exit status 1 if there are any.

`--rate` prints the avoided words per thousand words instead.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.prose.layout import problems
from tools.prose.text import passages
from tools.prose.words import HOUSE, count_words, findings

ROOT = Path.cwd()
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/**/*.md", "training/*.md")
COMMENTS = (".env.example", "docker-compose*.yml", "deploy/**/*.yaml", "deploy/**/*.sh", "deploy/**/*.config")
CODE = ("services/**/*.py", "services/**/*.js", "training/**/*.py", "tools/**/*.py")
WORD_LIST = ROOT / "tools" / "prose" / "words.py"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the linter and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.prose", description=__doc__)
    parser.add_argument(
        "paths", nargs="*", type=Path, help="files and folders to check; default: all documents and code"
    )
    parser.add_argument("--rate", action="store_true", help="print the avoided words per thousand words")
    options = parser.parse_args(arguments)
    files = list(_files(options.paths))
    return _print_rates(files) if options.rate else _print_problems(files)


def _files(chosen: list[Path]) -> Iterator[Path]:
    patterns = (*DOCUMENTS, *COMMENTS, *CODE)
    folders = [path.resolve() for path in chosen] or [ROOT]
    for path in sorted({path for pattern in patterns for path in ROOT.glob(pattern)} - {WORD_LIST}):
        if any(path.is_relative_to(folder) for folder in folders):
            yield path


def _print_problems(files: list[Path]) -> int:
    count = 0
    for path in files:
        for line, message in sorted(_problems(path)):
            count += 1
            sys.stdout.write(f"{path.relative_to(ROOT)}:{line}: {message}\n")
    if count:
        sys.stdout.write(f"{count} problems in the prose\n")
    return 1 if count else 0


def _problems(path: Path) -> Iterator[tuple[int, str]]:
    for passage in passages(path):
        for finding in findings(passage.text):
            line = passage.line + passage.text.count("\n", 0, finding.offset)
            yield line, f"“{' '.join(finding.words.split())}”: write {finding.rule.instead}"
    if path.suffix == ".md":
        yield from problems(path, ROOT)


def _print_rates(files: list[Path]) -> int:
    words: Counter[str] = Counter()
    house: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for path in files:
        for passage in passages(path):
            words[passage.kind] += count_words(passage.text)
            for finding in findings(passage.text):
                total[passage.kind] += 1
                house[passage.kind] += finding.rule.name in HOUSE
    for kind in sorted(words):
        per_thousand = 1000 / words[kind]
        sys.stdout.write(
            f"{kind}s: {words[kind]} words; house list {house[kind]} ({house[kind] * per_thousand:.1f} per thousand), "
            f"all rules {total[kind]} ({total[kind] * per_thousand:.1f})\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
