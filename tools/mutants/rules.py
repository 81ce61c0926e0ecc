"""The rules that make mutants of a syntax tree.

Log calls, conditions that only decide about them, docstrings, strings, type annotations, the arguments of `@dataclass`,
those in `NO_BEHAVIOUR`, and the blocks under `if TYPE_CHECKING` and `if __name__ == "__main__"` get no mutants: a test
that notices a change to them would test the language or a wording.

Neither do numbers whose name says that they set a pace or the size of a portion of work (`PACE`): the results are the
same with any value, so only a test that measures time or memory could notice another one, and such tests fail at
random. The same holds for `sleep`. Of a limit, a default or a weight, the exact number is
behaviour.
"""

import ast
import re
from collections.abc import Iterator

from tools.mutants.mutant import Mutant

COMPARISONS: dict[type[ast.cmpop], tuple[str, tuple[str, ...]]] = {
    ast.Eq: (r"==", ("!=",)),
    ast.NotEq: (r"!=", ("==",)),
    ast.Lt: (r"<", ("<=", ">=")),
    ast.LtE: (r"<=", ("<", ">")),
    ast.Gt: (r">", (">=", "<=")),
    ast.GtE: (r">=", (">", "<")),
    ast.Is: (r"\bis\b", ("is not",)),
    ast.IsNot: (r"\bis\s+not\b", ("is",)),
    ast.In: (r"\bin\b", ("not in",)),
    ast.NotIn: (r"\bnot\s+in\b", ("in",)),
}
ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: (r"\+", "-"),
    ast.Sub: (r"-", "+"),
    ast.Mult: (r"\*", "/"),
    ast.Div: (r"/", "*"),
    ast.FloorDiv: (r"//", "*"),
    ast.Mod: (r"%", "+"),
}
LOGGERS = {"log", "logger", "logging"}
PAUSES = {"sleep", "pause"}
# Arguments that change no result of a correct call, and those that change the look of a text.
NO_BEHAVIOUR = {"strict", "copy", "frozen", "slots"}
NO_BEHAVIOUR |= {"example", "examples", "highlight", "soft_wrap", "show_header", "pad_edge", "show_default"}
PACE = re.compile(
    r"_(s|ms)$|(^|_)(timeout|interval|pause|delay|batch|chunk|chunks|piece|page|buffer|cache|cached|buckets|at_once|"
    r"in_flight|concurrency|turn|inline|rest|refresh|maxsize)(_|$)",
    re.IGNORECASE,
)
Function = ast.FunctionDef | ast.AsyncFunctionDef


def mutants_of(path: str, text: str) -> list[Mutant]:
    """Return every mutant of a source file, in the order of the text."""
    rules = Rules(path, text)
    rules.visit(ast.parse(text))
    return sorted(rules.mutants, key=lambda mutant: (mutant.start, mutant.end, mutant.replacement))


class Rules(ast.NodeVisitor):
    """Walks a file's syntax tree and notes a mutant for each place where a rule fits."""

    def __init__(self, path: str, text: str) -> None:
        self.mutants: list[Mutant] = []
        self._path = path
        self._text = text
        self._line_starts = [0]
        for line in text.splitlines(keepends=True):
            self._line_starts.append(self._line_starts[-1] + len(line))
        self._lines = text.splitlines()
        self._statement = (1, 1)
        self._function: tuple[int, int] | None = None
        self._is_pace = False

    def visit(self, node: ast.AST) -> None:
        """Visit a node; the mutants made in it belong to the statement around it."""
        if isinstance(node, ast.expr | ast.arguments | ast.keyword | ast.comprehension | ast.withitem | ast.arg):
            super().visit(node)
            return
        outer = self._statement
        if isinstance(node, ast.stmt | ast.excepthandler | ast.match_case):
            self._statement = _header(node)
        super().visit(node)
        self._statement = outer

    # Statements

    def visit_FunctionDef(self, node: Function) -> None:
        """Visit decorators, defaults and body; annotations only for the calls in them, such as `Query(ge=1)`."""
        if _is_stub(node):
            return
        for decorator in node.decorator_list:
            self.visit(decorator)
        arguments = node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        with_defaults = [*positional[len(positional) - len(arguments.defaults) :], *arguments.kwonlyargs]
        for argument, default in zip(with_defaults, [*arguments.defaults, *arguments.kw_defaults], strict=True):
            if default is not None:
                self._visit_value(default, argument.arg)
        for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
            self._annotation(argument.annotation)
        outer = self._function
        self._function = outer or (node.lineno, node.end_lineno or node.lineno)
        for statement in node.body:
            self.visit(statement)
        self._function = outer

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - the name that ast looks up

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._annotation(node.annotation)
        if node.value is not None:
            self._visit_value(node.value, _name(node.target))

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self.visit(target)
        first, value = node.targets[0], node.value
        if isinstance(first, ast.Tuple) and isinstance(value, ast.Tuple) and len(first.elts) == len(value.elts):
            for target, part in zip(first.elts, value.elts, strict=True):
                self._visit_value(part, _name(target))
        else:
            self._visit_value(value, _name(first))

    def visit_Expr(self, node: ast.Expr) -> None:
        call = node.value.value if isinstance(node.value, ast.Await) else node.value
        if _is_log_call(call):
            return
        if isinstance(call, ast.Call) and _name(call.func) not in PAUSES:
            self._replace(node, "pass", "statement removed")
        self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        self._replace(node, "pass", "statement removed")
        self.generic_visit(node)

    def visit_Delete(self, node: ast.Delete) -> None:
        self._replace(node, "pass", "statement removed")

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._replace(node, "pass", "statement removed")
        self.visit(node.value)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is not None and not _is_nothing(node.value):
            self._replace(node.value, "None", "returned value")
            self.visit(node.value)

    def visit_Break(self, node: ast.Break) -> None:
        self._replace(node, "continue", "loop control")

    def visit_Continue(self, node: ast.Continue) -> None:
        self._replace(node, "break", "loop control")

    def visit_If(self, node: ast.If) -> None:
        if not node.orelse and all(isinstance(part, ast.Expr) and _is_log_call(part.value) for part in node.body):
            return
        if _is_for_tools_only(node.test):
            for statement in node.orelse:
                self.visit(statement)
            return
        self._negate(node.test)
        self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        self._negate(node.test)
        self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        last = node.body[-1]
        if not isinstance(last, ast.Raise):
            start, end = self._span(node.body[0])[0], self._span(last)[1]
            self._note(start, end, "raise", "except body")
        for statement in node.body:
            self.visit(statement)

    # Expressions

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._negate(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for condition in node.ifs:
            self._negate(condition)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = _name(node.func)
        if _is_log_call(node) or name == "dataclass" or name in PAUSES:
            return
        self.visit(node.func)
        for argument in node.args:
            self.visit(argument)
        for keyword in node.keywords:
            if keyword.arg not in NO_BEHAVIOUR:
                self._visit_value(keyword.value, keyword.arg or "")

    def visit_Compare(self, node: ast.Compare) -> None:
        operands = [node.left, *node.comparators]
        for left, operator, right in zip(operands, node.ops, operands[1:], strict=False):
            pattern, replacements = COMPARISONS[type(operator)]
            for replacement in replacements:
                self._replace_operator(left, right, pattern, replacement, "comparison")
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        word, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            self._replace_operator(left, right, rf"\b{word}\b", other, "boolean operator")
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        is_number = isinstance(node.left, ast.Constant) and isinstance(node.right, ast.Constant)
        if type(node.op) in ARITHMETIC and not (self._is_pace and is_number):
            pattern, other = ARITHMETIC[type(node.op)]
            self._replace_operator(node.left, node.right, pattern, other, "arithmetic")
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not):
            start, end = self._span(node)
            self._note(start, end, f"({self._text[start + len('not') : end].strip()})", "negation")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if self._is_pace and not isinstance(node.value, bool):
            return
        for replacement in _other_constants(node.value):
            self._replace(node, replacement, "constant")

    def visit_Tuple(self, node: ast.Tuple) -> None:
        """Visit the parts; of a pair such as `("backoff_ms", 1000)`, the first names the second."""
        if len(node.elts) == 2:
            self._visit_value(node.elts[1], _text(node.elts[0]))
            self.visit(node.elts[0])
        else:
            self.generic_visit(node)

    def visit_Dict(self, node: ast.Dict) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            if key is not None:
                self.visit(key)
            self._visit_value(value, _text(key))

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Skip: strings are words."""

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if isinstance(node.value, ast.Name) and node.value.id == "Literal":
            return
        self.generic_visit(node)

    # What the rules share

    def _visit_value(self, value: ast.expr, name: str) -> None:
        """Visit the value that a name gets."""
        outer = self._is_pace
        self._is_pace = outer or PACE.search(name) is not None
        self.visit(value)
        self._is_pace = outer

    def _annotation(self, annotation: ast.expr | None) -> None:
        for call in _outermost_calls(annotation):
            self.visit(call)

    def _negate(self, test: ast.expr) -> None:
        if not isinstance(test, ast.Compare | ast.Constant) and not _is_not(test):
            start, end = self._span(test)
            self._note(start, end, f"not ({self._text[start:end]})", "negation")

    def _replace(self, node: ast.expr | ast.stmt, replacement: str, kind: str) -> None:
        self._note(*self._span(node), replacement, kind)

    def _replace_operator(self, left: ast.expr, right: ast.expr, pattern: str, replacement: str, kind: str) -> None:
        start, end = self._span(left)[1], self._span(right)[0]
        between = re.sub(r"#[^\n]*", lambda comment: " " * len(comment[0]), self._text[start:end])
        match = re.search(pattern, between)
        assert match is not None, f"{self._path}: no {pattern} in {between!r}"
        self._note(start + match.start(), start + match.end(), replacement, kind)

    def _note(self, start: int, end: int, replacement: str, kind: str) -> None:
        line = self._text.count("\n", 0, start) + 1
        self.mutants.append(Mutant(self._path, line, kind, start, end, replacement, self._statement, self._function))

    def _span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self._offset(node.lineno, node.col_offset), self._offset(node.end_lineno, node.end_col_offset)

    def _offset(self, line: int, column: int) -> int:
        """Return the place in the text of a line (from 1) and a column in UTF-8 bytes."""
        before = self._lines[line - 1].encode()[:column].decode()
        return self._line_starts[line - 1] + len(before)


def _header(node: ast.stmt | ast.excepthandler | ast.match_case) -> tuple[int, int]:
    """Return the first and last line of a statement, without the block under it."""
    body = getattr(node, "body", None)
    if isinstance(node, ast.match_case):
        return node.pattern.lineno, node.body[0].lineno
    first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
    if isinstance(body, list) and body:
        return first, max(first, body[0].lineno - 1)
    return first, node.end_lineno or first


def _is_stub(node: Function) -> bool:
    """Return whether a function's body is `...`, as in a `Protocol`: its defaults are never used."""
    return all(isinstance(part, ast.Expr) and _is_ellipsis(part.value) for part in node.body)


def _is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def _is_log_call(node: ast.expr) -> bool:
    """Return whether a call goes to a logger: `log.info(...)`, `self._log.bind(...).warning(...)`."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        node = node.func.value
        if isinstance(node, ast.Name | ast.Attribute) and _last_name(node).lstrip("_") in LOGGERS:
            return True
    return False


def _name(node: ast.expr) -> str:
    """Return the name that an assignment gives a value; "" for an element."""
    return _last_name(node) if isinstance(node, ast.Name | ast.Attribute) else ""


def _text(node: ast.expr | None) -> str:
    """Return a string constant; "" for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _last_name(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr


def _is_nothing(node: ast.expr) -> bool:
    """Return whether a caller can hardly distinguish the value from None."""
    return isinstance(node, ast.Constant) and (node.value is None or node.value is False)


def _is_not(node: ast.expr) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)


def _is_for_tools_only(test: ast.expr) -> bool:
    """Return whether an `if` is for type checkers or for running the module as a program."""
    names = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)}
    return bool(names & {"TYPE_CHECKING", "__name__"})


def _outermost_calls(node: ast.AST | None) -> Iterator[ast.Call]:
    if isinstance(node, ast.Call):
        yield node
    elif node is not None:
        for child in ast.iter_child_nodes(node):
            yield from _outermost_calls(child)


def _other_constants(value: object) -> tuple[str, ...]:
    if isinstance(value, bool):
        return (str(not value),)
    if isinstance(value, int | float):
        return tuple(f"{other:.12g}" if other >= 0 else f"({other:.12g})" for other in (value + 1, value - 1))
    return ()
