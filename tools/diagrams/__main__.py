"""Write every drawing into docs/images."""

from pathlib import Path

from tools.diagrams.drawings import DRAWINGS

if __name__ == "__main__":
    for name, draw in DRAWINGS.items():
        (Path("docs/images") / name).write_text(draw())
