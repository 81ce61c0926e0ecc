"""The elements of an XML feed, and the categories that it lists before its items."""

from dataclasses import dataclass, field

GOOGLE_ADDRESS = "http://base.google.com/ns/1.0"
# The addresses of prefixes that feeds use without declaring them. Any other prefix then has no address.
WELL_KNOWN = {
    "g": GOOGLE_ADDRESS,
    "c": "http://base.google.com/cns/1.0",
    "media": "http://search.yahoo.com/mrss/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "atom": "http://www.w3.org/2005/Atom",
}
MAX_CATEGORIES, MAX_CATEGORY_CHARS = 100_000, 256


@dataclass(slots=True)
class Node:
    """An element: its namespace and name, its text, its child elements, and its attributes without a prefix.

    The names of the attributes are in lower case.
    """

    namespace: str
    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    children: list["Node"] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The element's own text without surrounding whitespace."""
        return "".join(self.parts).strip()


class Categories:
    """The categories that a document lists before its items: `<category id="2" parentId="1">Dresses</category>`."""

    def __init__(self) -> None:
        self._names: dict[str, tuple[str, str]] = {}  # the name and the parent

    def add(self, node: Node) -> None:
        """Add an element of the list."""
        key = node.attributes.get("id", "")
        if key and len(self._names) < MAX_CATEGORIES:
            parent = node.attributes.get("parentid") or node.attributes.get("parent_id") or ""
            self._names[key] = (node.text[:MAX_CATEGORY_CHARS], parent)

    def path(self, key: str) -> str | None:
        """Return the names from the root to a category, as in Google's feeds, or None if it is not listed."""
        names: list[str] = []
        passed: set[str] = set()
        while key in self._names and key not in passed:
            passed.add(key)
            name, key = self._names[key]
            names.insert(0, name)
        return " > ".join(filter(None, names)) or None


def scope(outer: dict[str, str], attributes: dict[str, str]) -> dict[str, str]:
    """Return the addresses of prefixes inside an element; the prefix of the default namespace is empty."""
    declared = {
        name.removeprefix("xmlns").removeprefix(":"): address
        for name, address in attributes.items()
        if name == "xmlns" or name.startswith("xmlns:")
    }
    return outer | declared if declared else outer


def node_of(tag: str, attributes: dict[str, str], addresses: dict[str, str]) -> Node:
    """Return an element without its content; `addresses` are those of the prefixes."""
    prefix, _, name = tag.rpartition(":")
    # Google documents the prefix `g`; feeds bind it to addresses with all kinds of mistakes.
    namespace = GOOGLE_ADDRESS if prefix == "g" else addresses.get(prefix, WELL_KNOWN.get(prefix, ""))
    own = {key.lower(): value.strip() for key, value in attributes.items() if ":" not in key and key != "xmlns"}
    if name == "link" and own.get("rel", "alternate") != "alternate":  # of Atom: `self`, `enclosure`
        own.pop("href", None)
    return Node(namespace, name, own)
