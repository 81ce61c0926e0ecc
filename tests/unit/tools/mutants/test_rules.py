"""The rules that make mutants."""

import ast
from pathlib import Path
from textwrap import dedent

import pytest

from tools.mutants.mutant import Mutant
from tools.mutants.rules import mutants_of

ROOT = Path(__file__).resolve().parents[4]


def changes(text: str, kind: str | None = None) -> list[str]:
    """Return the texts of all mutants of a module."""
    text = dedent(text)
    return [mutant.apply(text) for mutant in mutants_of("m.py", text) if kind in (None, mutant.kind)]


@pytest.mark.parametrize(
    ("before", "kind", "after"),
    [
        ("x = a < b", "comparison", ["x = a <= b", "x = a >= b"]),
        ("x = a  is  not  b", "comparison", ["x = a  is  b"]),
        ("x = a not in b", "comparison", ["x = a in b"]),
        ("x = (a) == (b)", "comparison", ["x = (a) != (b)"]),
        ("x = a <= b < c", "comparison", ["x = a < b < c", "x = a > b < c", "x = a <= b <= c", "x = a <= b >= c"]),
        ("x = a and b and c", "boolean operator", ["x = a or b and c", "x = a and b or c"]),
        ("x = not a", "negation", ["x = (a)"]),
        ("x = a or not (b)", "negation", ["x = a or ((b))"]),
        ("if a:\n    f = b", "negation", ["if not (a):\n    f = b"]),
        ("x = b if a else c", "negation", ["x = b if not (a) else c"]),
        ("x = [a for a in b if a]", "negation", ["x = [a for a in b if not (a)]"]),
        ("x = 'é' + a", "arithmetic", ["x = 'é' - a"]),
        ("x = a // b", "arithmetic", ["x = a * b"]),
        ("x = 3", "constant", ["x = 4", "x = 2"]),
        ("x = 0", "constant", ["x = 1", "x = (-1)"]),
        ("x = 0.02", "constant", ["x = 1.02", "x = (-0.98)"]),
        ("x = True", "constant", ["x = False"]),
        ("x = {'k': 5}", "constant", ["x = {'k': 6}", "x = {'k': 4}"]),
        ("x = (a, 1)", "constant", ["x = (a, 2)", "x = (a, 0)"]),
        ("x[0] = a", "constant", ["x[1] = a", "x[(-1)] = a"]),
        ("def f(x=10): pass", "constant", ["def f(x=11): pass", "def f(x=9): pass"]),
        (
            "def f(wait_s=1, *, k=10): pass",
            "constant",
            ["def f(wait_s=1, *, k=11): pass", "def f(wait_s=1, *, k=9): pass"],
        ),
        ("PAGE, MOST = 5, 3", "constant", ["PAGE, MOST = 5, 4", "PAGE, MOST = 5, 2"]),
        ("is_chunk_s = True", "constant", ["is_chunk_s = False"]),
        ("def f(x: Annotated[int, Query(ge=1)]): pass", "constant", None),
        ("def f():\n    return a", "returned value", ["def f():\n    return None"]),
        ("a.close()", "statement removed", ["pass"]),
        ("async def f():\n    await a.close()", "statement removed", ["async def f():\n    pass"]),
        ("raise ValueError", "statement removed", ["pass"]),
        ("if a:\n    log.info('x')\nelse:\n    f()", "negation", ["if not (a):\n    log.info('x')\nelse:\n    f()"]),
        ("x += a", "statement removed", ["pass"]),
        ("for x in a:\n    break", "loop control", ["for x in a:\n    continue"]),
        ("try:\n    a = b\nexcept E:\n    a = c", "except body", ["try:\n    a = b\nexcept E:\n    raise"]),
    ],
)
def test_a_rule_makes_these_changes(before: str, kind: str, after: list[str] | None) -> None:
    if after is None:
        assert len(changes(before, kind)) == 2
    else:
        assert sorted(changes(before, kind)) == sorted(after)


@pytest.mark.parametrize(
    "text",
    [
        "log.info('ready', after_s=1)",
        "self._log.bind(a=1).warning('full')",
        "x = 'words'",
        "x: Literal[1] = a",
        "x = zip(a, b, strict=True)",
        "@dataclass(frozen=True)\nclass A: ...",
        "if TYPE_CHECKING:\n    x = 1",
        "if __name__ == '__main__':\n    f(1)",
        "def f():\n    return None",
        "def f() -> dict[str, Literal[2]]:\n    return None",
        "RETRY_S = 2.5",
        "self.timeout_s: float = 2.0",
        "READ_BATCH = 4 * 500",
        "PAUSES_S = (1.0, 2.0)",
        "def f(*, in_flight=4):\n    return None",
        "class A(Protocol):\n    async def f(self, *, is_last: bool = False) -> None: ...",
        "x: A = A(in_flight=4, timeout_s=1)",
        "BATCH, PAGE_ROWS = 10, 20",
        "x = print_table(highlight=False)",
        "x = [('grpc.backoff_ms', 1000)]",
        "x = {'socket_timeout': 5}",
        "if a != b:\n    log.info('changed')",
        "async def f():\n    await asyncio.sleep(a - 1)",
        "async def f():\n    x = await asyncio.sleep(a if b else c - 1)",
    ],
)
def test_what_a_test_need_not_notice_is_left_alone(text: str) -> None:
    assert changes(text) == []


def test_an_operator_is_not_sought_in_a_comment() -> None:
    assert changes("x = (\n    a  # a < b\n    == b\n)", "comparison") == ["x = (\n    a  # a < b\n    != b\n)"]


def test_every_mutant_of_the_services_can_be_parsed_and_differs() -> None:
    count = 0
    for path in sorted((ROOT / "services").rglob("*.py")):
        text = path.read_text()
        for mutant in mutants_of(path.name, text)[::40]:  # to parse them all takes a minute
            changed = mutant.apply(text)
            ast.parse(changed)
            assert changed != text
            count += 1
    assert count > 200


def test_a_mutant_keeps_its_signature_when_the_lines_above_it_change() -> None:
    text = "def f():\n    return a < b\n"
    longer = "import os\n\n\n" + text
    short, long = (
        [mutant.signature(module) for mutant in mutants_of("m.py", module) if mutant.kind == "comparison"]
        for module in (text, longer)
    )
    assert short == long == [("m.py", "return a < b", "return a <= b"), ("m.py", "return a < b", "return a >= b")]


def test_a_mutant_knows_the_lines_of_its_statement() -> None:
    text = "def f(\n    x=1,\n):\n    y = [\n        2,\n    ]\n    if y:\n        return y\n"
    by_kind: dict[str, list[Mutant]] = {}
    for mutant in mutants_of("m.py", text):
        by_kind.setdefault(mutant.kind, []).append(mutant)
    default, *_, element = by_kind["constant"]
    assert (default.lines, default.at_import) == ((1, 3), True)
    assert (element.lines, element.at_import, element.line) == ((4, 6), False, 5)
    assert by_kind["negation"][0].lines == (7, 7)


def test_a_mutant_knows_the_outermost_function_around_it() -> None:
    text = "x = 1\n\n\nclass C:\n    def f(self):\n        def g():\n            return 2\n        return g\n"
    mutants = mutants_of("m.py", text)
    (inner,) = [mutant for mutant in mutants if mutant.kind == "returned value" and mutant.line == 7]
    assert inner.function == (5, 8)
    assert all(mutant.function is None for mutant in mutants if mutant.line == 1)
