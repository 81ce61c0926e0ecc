"""A real Milvus server as a process, for tests and benchmarks: Milvus 2.3.5, in an environment of its own."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "var" / "milvus"
PYTHON = FOLDER / "bin" / "python"
PACKAGES = ("milvus==2.3.5", "setuptools<80")
