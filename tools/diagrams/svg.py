"""Shapes and text as SVG."""

from collections.abc import Iterable
from html import escape

FONT = "ui-sans-serif, system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif"
INK, MUTED, LINE, CALL, REPLY = "#1f2933", "#52606d", "#9aa5b1", "#0b7285", "#7b8794"
FILLS = {
    "service": ("#e3fafc", "#0b7285"),
    "server": ("#fff3bf", "#e67700"),
    "client": ("#f1f3f5", "#52606d"),
    "part": ("#ffffff", "#9aa5b1"),
    "shared": ("#ebfbee", "#2b8a3e"),
}
LINE_HEIGHT = 17
CHARACTER = 7.0  # width of an average character at 13 px


def document(width: float, height: float, title: str, parts: Iterable[str]) -> str:
    """Return a whole SVG file with a white background and an accessible title."""
    markers = "".join(
        f'<marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0 10 5 0 10z" fill="{colour}"/></marker>'
        for name, colour in (("call", CALL), ("reply", REPLY))
    )
    lines = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}"'
        f' width="{width:g}" height="{height:g}" role="img" font-family="{FONT}" font-size="13">',
        f"<title>{escape(title)}</title><defs>{markers}</defs>",
        f'<rect width="{width:g}" height="{height:g}" rx="8" fill="#ffffff"/>',
        *parts,
        "</svg>",
    )
    return "\n".join(lines) + "\n"


def box(x: float, y: float, width: float, height: float, text: str, kind: str = "part") -> str:
    """Return a rounded box with centred text; the first line is bold, the others are small."""
    fill, stroke = FILLS[kind]
    first, *others = text.split("\n")
    middle = x + width / 2
    top = y + height / 2 + 5 - len(others) * (LINE_HEIGHT - 2) / 2
    lines = [
        f'<text x="{middle:g}" y="{top:g}" text-anchor="middle" font-weight="600" fill="{INK}">{escape(first)}</text>'
    ]
    lines += [
        f'<text x="{middle:g}" y="{top + (n + 1) * (LINE_HEIGHT - 2):g}" text-anchor="middle" font-size="11.5"'
        f' fill="{MUTED}">{escape(line)}</text>'
        for n, line in enumerate(others)
    ]
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" fill="{fill}" stroke="{stroke}"/>'
        + "".join(lines)
    )


def label(x: float, y: float, text: str, *, anchor: str = "middle", colour: str = INK) -> str:
    """Return lines of text on a white ground, the last one ending at y."""
    lines = text.split("\n")
    top = y - (len(lines) - 1) * LINE_HEIGHT
    width = max(map(len, lines)) * CHARACTER
    left = {"middle": x - width / 2, "start": x, "end": x - width}[anchor]
    ground = (
        f'<rect x="{left - 3:g}" y="{top - 12:g}" width="{width + 6:g}" height="{len(lines) * LINE_HEIGHT - 1:g}"'
        f' fill="#ffffff" fill-opacity="0.9"/>'
    )
    return ground + "".join(
        f'<text x="{x:g}" y="{top + n * LINE_HEIGHT:g}" text-anchor="{anchor}" fill="{colour}">{escape(line)}</text>'
        for n, line in enumerate(lines)
    )


def arrow(points: Iterable[tuple[float, float]], *, reply: bool = False) -> str:
    """Return a line with an arrowhead; dashed if it is a reply."""
    path = "M" + " ".join(f"{x:g} {y:g}" for x, y in points)
    style = (
        f'stroke="{REPLY}" stroke-dasharray="5 4" marker-end="url(#reply)"'
        if reply
        else f'stroke="{CALL}" marker-end="url(#call)"'
    )
    return f'<path d="{path}" fill="none" stroke-width="1.5" {style}/>'
