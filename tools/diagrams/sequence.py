"""Sequence diagrams: who calls whom, in which order."""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from tools.diagrams.svg import CALL, CHARACTER, INK, LINE, LINE_HEIGHT, REPLY, arrow, box, document, label

COLUMN, MARGIN, TOP, HEAD = 215, 110, 16, 50
NOTE = 215  # width of a note


@dataclass(frozen=True)
class Participant:
    """A column of the diagram."""

    name: str
    kind: str


@dataclass(frozen=True)
class Step:
    """An arrow from one participant to another; a note if both are the same."""

    source: str
    target: str
    text: str
    reply: bool = False


def draw(title: str, participants: Sequence[Participant], steps: Iterable[Step]) -> str:
    """Return a sequence diagram as SVG, its steps numbered from top to bottom."""
    columns = {participant.name.split("\n")[0]: MARGIN + n * COLUMN for n, participant in enumerate(participants)}
    y = float(TOP + HEAD + 14)
    parts: list[str] = []
    number = 0
    width = 2 * MARGIN + (len(participants) - 1) * COLUMN
    for step in steps:
        number += not step.reply
        source, target = columns[step.source], columns[step.target]
        text = step.text if step.reply else f"{number}. {step.text}"
        lines = _wrapped(text, abs(source - target) or NOTE)
        if source == target:
            parts.append(_note(min(source, width - NOTE / 2 - 6), y, lines))
            y += len(lines) * LINE_HEIGHT + 22
        else:
            y += len(lines) * LINE_HEIGHT + 2
            parts.append(_message(source, target, y, lines, reply=step.reply))
            y += 16
    lifelines = [
        f'<path d="M{x} {TOP + HEAD}V{y:g}" stroke="{LINE}" stroke-dasharray="2 4"/>' for x in columns.values()
    ]
    heads = [
        box(x - 80, TOP, 160, HEAD, participant.name, participant.kind)
        for x, participant in zip(columns.values(), participants, strict=True)
    ]
    return document(width, y + 12, title, [*lifelines, *heads, *parts])


def _wrapped(text: str, width: float) -> list[str]:
    return textwrap.wrap(text, int((width - 16) / CHARACTER))


def _message(source: float, target: float, y: float, lines: list[str], *, reply: bool) -> str:
    words = label((source + target) / 2, y - 8, "\n".join(lines), colour=REPLY if reply else CALL)
    return words + arrow([(source, y), (target, y)], reply=reply)


def _note(x: float, y: float, lines: list[str]) -> str:
    height = len(lines) * LINE_HEIGHT + 10
    ground = (
        f'<rect x="{x - NOTE / 2:g}" y="{y + 4:g}" width="{NOTE}" height="{height:g}" rx="4" fill="#f8f9fa"'
        f' stroke="{LINE}"/>'
    )
    words = "".join(
        f'<text x="{x:g}" y="{y + 21 + n * LINE_HEIGHT:g}" text-anchor="middle" fill="{INK}">{escape(line)}</text>'
        for n, line in enumerate(lines)
    )
    return ground + words
