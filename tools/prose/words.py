"""The words to avoid, and the usual word for each. docs/glossary.md lists the words to use."""

import re
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class WordRule:
    """A pattern to avoid and its replacement."""

    name: str
    pattern: re.Pattern[str]
    instead: str


class ProseFinding(NamedTuple):
    """A match of a rule: its offset in the text, the words found, and what to write instead."""

    offset: int
    words: str
    rule: WordRule


def _rule(name: str, pattern: str, instead: str) -> WordRule:
    return WordRule(name, re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])", re.IGNORECASE), instead)


_BE = "is|are|was|were|be|been|being"

RULES = (
    # The list of the house style.
    _rule("told", r"told", "stated, named, set, reported"),
    _rule("away", rf"(?:{_BE}|while|when|stays?|went)\s+away", "unavailable, down, removed"),
    _rule("anew", r"anew", "again"),
    _rule("so many", r"so many", "the number of …, at most n"),
    _rule("of before", r"(?:of|than|from) before", "previous, earlier"),
    _rule(
        "what is",
        r"what\s+(?:is|are|was|were|has|have|had|it\s+has|it\s+had|came|comes|goes|went|does|did|stands|belongs|follows)(?![^.!?]*\?)",
        "the noun that it stands for",
    ),
    _rule("whatever", r"whatever|whoever|whichever", "any, the client, the caller"),
    _rule("beside", r"besides?", "next to, with, in addition to"),
    _rule("further", r"further", "additional, other, more"),
    _rule("unless told", r"unless told|unless said|where told|if told", "Default: …"),
    _rule("had", rf"(?:{_BE}|to be|can be|cannot be)\s+had", "obtained, fetched, read"),
    _rule("looked for", rf"(?:{_BE})\s+(?:looked|asked|sought)\s+for", "searched, requested"),
    # The dialect that the project had.
    _rule("likeness", r"likeness(?:es)?", "similarity"),
    _rule(
        "old form",
        r"(?:old|older)[ -]form|documents? of the (?:old|older) form|the (?:old|older) form",
        "legacy document",
    ),
    _rule("more than", r"as many as go|in all,? else", "the number"),
    _rule("hangs up", r"hangs? up|hung up", "disconnects"),
    _rule("one more", r"the same of|as ever|as it is had", "the noun"),
    _rule("tells", r"tells? (?:of|how|where|which|whether|the|it|apart|what)", "reports, states, distinguishes"),
    _rule("nobody", r"nobody|somebody|somebody else", "no client, no process, another user"),
    _rule(
        "else", r"(?<!or )(?<!something )(?<!everything )(?<!anything )(?<!nothing )(?<!nobody )else the", "otherwise"
    ),
    _rule("for ever", r"for ever", "forever, permanently"),
    _rule("passed over", r"pass(?:ed|es)? over", "skipped, ignored"),
)
# The part of the list that the house style names; `--rate` counts these.
HOUSE = ("told", "away", "anew", "so many", "of before", "what is", "whatever", "beside", "further")


def findings(text: str) -> list[ProseFinding]:
    """Return the matches of all rules in a text, in the order of their place."""
    matches = [
        ProseFinding(match.start(), match.group(), rule) for rule in RULES for match in rule.pattern.finditer(text)
    ]
    return sorted(matches, key=lambda finding: finding.offset)


def count_words(text: str) -> int:
    """Return the number of words in a text."""
    return len(re.findall(r"[A-Za-z][A-Za-z'’-]*", text))
