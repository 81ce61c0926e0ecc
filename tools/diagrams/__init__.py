"""The drawings of docs/architecture.md: SVG files, written by `python -m tools.diagrams`."""
