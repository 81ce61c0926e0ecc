"""The documents of the APIs, as they were last looked at. `make openapi` writes them again; read the difference."""

import base64
import re
from pathlib import Path

import orjson
import pytest

from services.contracts.domain.errors import error_types
from tools.openapi import documents

FOLDER = Path(__file__).parent / "openapi"
SNAPSHOTS = {
    "gateway": FOLDER.parents[2] / "docs" / "openapi.json",
    "embedding": FOLDER / "embedding.json",
    "index": FOLDER / "index.json",
    "files": FOLDER / "files.json",
}
DOCUMENTS = documents()
DOCUMENT = DOCUMENTS["gateway"]
ROUTES = [(path, method) for path, operations in DOCUMENT["paths"].items() for method in operations]


@pytest.mark.parametrize("service", SNAPSHOTS)
def test_the_document_of_a_service_and_the_schemas_of_files_are_the_stored_ones(service: str) -> None:
    stored = orjson.loads(SNAPSHOTS[service].read_bytes())
    assert stored == orjson.loads(orjson.dumps(DOCUMENTS[service])), "run make openapi, and look"


def test_every_reference_leads_to_a_schema() -> None:
    text = orjson.dumps(DOCUMENT).decode()
    references = set(re.findall(r'"\$ref":"(#[^"]*)"', text))
    assert references
    for reference in references:
        target = DOCUMENT
        for key in reference.removeprefix("#/").split("/"):
            assert key in target, f"{reference} leads nowhere"
            target = target[key]


@pytest.mark.parametrize(("path", "method"), ROUTES)
def test_every_route_says_what_it_does_and_documents_its_errors_as_problems(path: str, method: str) -> None:
    operation = DOCUMENT["paths"][path][method]
    assert operation["summary"]
    for status, answer in operation["responses"].items():
        if status >= "400" and path != "/readyz":
            assert "application/problem+json" in answer["content"], f"{method} {path} {status}"


@pytest.mark.parametrize("slug", error_types())
def test_every_problem_type_has_a_title_and_an_error_status(slug: str) -> None:
    kind = error_types()[slug]
    assert kind.title
    assert 400 <= kind.status < 600


def test_the_documentation_fills_in_no_optional_parameter() -> None:
    """Swagger UI fills in examples, which would narrow a first search, or name a product that is not there."""
    for path, method in ROUTES:
        for parameter in DOCUMENT["paths"][path][method].get("parameters", []):
            schema = parameter["schema"]
            if parameter["required"]:
                continue
            assert not {"example", "examples"} & (schema.keys() | parameter.keys()) or schema.get("default") is not None


def test_the_examples_of_bodies_need_no_other_server() -> None:
    for path in ("/v1/search", "/v1/detect"):
        content = DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        for example in content["examples"].values():
            assert base64.b64decode(example["value"]["image_base64"]).startswith(b"\x89PNG")
