"""What a person sees: the search page, the API's documentation, and what each problem type means."""

from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, FastAPI, Response
from starlette.staticfiles import StaticFiles

from services.contracts.errors import NotFound, error_types
from services.contracts.problems import PREFIX

router = APIRouter(include_in_schema=False)
STATIC = Path(str(files("services.gateway") / "static"))
# Swagger UI's own files come with this package, so that the documentation needs no other host.
SWAGGER = Path(str(files("fastapi_offline") / "static"))
# Swagger UI sets styles on elements and draws its icons from data: URLs.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'{styles}; img-src 'self' data: blob: https: http:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def mount_static(app: FastAPI) -> None:
    """Serve the pages' files under `/static`."""
    app.mount("/static/swagger", StaticFiles(directory=SWAGGER), name="swagger")
    app.mount("/static", StaticFiles(directory=STATIC), name="static")


def _page(name: str, styles: str = "") -> Response:
    headers = {
        "Content-Security-Policy": POLICY.format(styles=styles),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Cache-Control": "no-cache",
    }
    return Response((STATIC / name).read_bytes(), media_type="text/html; charset=utf-8", headers=headers)


@router.get("/")
def search_page() -> Response:
    return _page("index.html")


@router.get("/docs")
def api_documentation() -> Response:
    return _page("docs.html", styles=" 'unsafe-inline'")


@router.get(PREFIX + "{slug}")
def problem_type(slug: str) -> dict[str, object]:
    kind = error_types().get(slug)
    if kind is None:
        raise NotFound(f"there is no problem type {slug!r}")
    return {"type": PREFIX + slug, "title": kind.title, "status": kind.status}
