"""`python -m services.contracts.web.health URL`: a container's health check, with one line of output.

It imports only the standard library, so that it starts in a few hundredths of a second.
"""

import json
import os
import sys
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

TIMEOUT_S = 3.0


def problem(url: str, timeout_s: float = TIMEOUT_S) -> str | None:
    """Return in one line why the service at a `/readyz` URL is not ready, or None if it is."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=timeout_s)
    try:
        connection.request("GET", parts.path)
        return _reasons(connection.getresponse())
    except TimeoutError:
        return f"it does not respond within {timeout_s:g} s"
    except OSError as error:
        return _startup_problem() or f"it does not respond: {error.strerror or error}"
    except HTTPException:
        return "its response is not HTTP"
    finally:
        connection.close()


def _startup_problem() -> str | None:
    """Return the reason that `services.contracts.web.run` wrote if the service could not start."""
    try:
        return "; ".join(Path(os.environ["LOOKALIKE_PROBLEM_FILE"]).read_text(encoding="utf-8").splitlines())
    except (KeyError, OSError):
        return None


def _reasons(response: HTTPResponse) -> str | None:
    body = response.read()
    if response.status == 200:
        return None
    try:
        reasons = "; ".join(str(reason) for reason in json.loads(body)["reasons"])
    except (ValueError, KeyError, TypeError):
        reasons = ""
    return reasons or f"its response has the status {response.status} and no reason"


def main(arguments: list[str]) -> int:
    """Check the service, print `ready` or the reason, and return the exit status of the health check."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m services.contracts.web.health http://127.0.0.1:8000/readyz\n")
        return 2
    reason = problem(arguments[0])
    sys.stdout.write(("ready" if reason is None else f"not ready: {reason}") + "\n")
    return 0 if reason is None else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
