"""Calls between services, and of commands to the gateway, do not go through the proxies of the environment."""

import ast
from collections.abc import Iterator

from tests.support.values.settings import ROOT

CALLS = {"get", "head", "post", "put", "patch", "delete", "request", "stream", "Client", "AsyncClient"}


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Yield each call of httpx that makes a client or a request, with its place."""
    for folder in ("services", "tools"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and isinstance(node.func.value, ast.Name)
                    and node.func.value.id == "httpx"
                    and node.func.attr in CALLS
                ):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def ignores_the_environment(call: ast.Call) -> bool:
    return any(
        keyword.arg == "trust_env" and isinstance(keyword.value, ast.Constant) and keyword.value.value is False
        for keyword in call.keywords
    )


def test_every_call_of_httpx_ignores_the_proxies_of_the_environment() -> None:
    every = list(calls())
    assert len(every) > 10
    assert [place for place, call in every if not ignores_the_environment(call)] == []
