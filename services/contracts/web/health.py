"""`python -m services.contracts.web.health URL`: what a container's health check runs. One line says what is wrong.

It imports nothing but the standard library, so that it costs a few hundredths of a second every time.
"""

import json
import os
import sys
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

TIMEOUT_S = 3.0


def problem(url: str, timeout_s: float = TIMEOUT_S) -> str | None:
    """Return why the service that `url` asks is not ready, in one line; None when it is."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=timeout_s)
    try:
        connection.request("GET", parts.path)
        return _said(connection.getresponse())
    except TimeoutError:
        return f"it does not answer within {timeout_s:g} s"
    except OSError as error:
        return _noted() or f"it does not answer: {error.strerror or error}"
    except HTTPException:
        return "it does not answer in HTTP"
    finally:
        connection.close()


def _noted() -> str | None:
    """Return what `services.contracts.web.run` has noted of a service that cannot start."""
    try:
        return "; ".join(Path(os.environ["LOOKALIKE_PROBLEM_FILE"]).read_text(encoding="utf-8").splitlines())
    except (KeyError, OSError):
        return None


def _said(response: HTTPResponse) -> str | None:
    body = response.read()
    if response.status == 200:
        return None
    try:
        reasons = "; ".join(str(reason) for reason in json.loads(body)["reasons"])
    except (ValueError, KeyError, TypeError):
        reasons = ""
    return reasons or f"it answers {response.status} without a reason"


def main(arguments: list[str]) -> int:
    """Ask, print `ready` or what is wrong, and return the exit status that a health check is read by."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m services.contracts.web.health http://127.0.0.1:8000/readyz\n")
        return 2
    found = problem(arguments[0])
    sys.stdout.write(("ready" if found is None else f"not ready: {found}") + "\n")
    return 0 if found is None else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
