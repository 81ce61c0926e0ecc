"""How many requests are allowed in how long a time, as text such as `600/minute`."""

import re
from dataclasses import dataclass
from typing import Self

_TEXT = re.compile(r"(\d{1,9})\s*/\s*(?:(\d{1,6})\s*)?(second|minute|hour|day)s?")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


@dataclass(frozen=True, slots=True)
class Quota:
    """A number of requests within a number of seconds."""

    requests: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the quota of a text such as `600/minute` or `10/5 minutes`.

        Raises:
            ValueError: the text is not a quota.
        """
        match = _TEXT.fullmatch(text.strip().lower())
        requests, multiple = (int(match[1]), int(match[2] or 1)) if match else (0, 0)
        if not match or not requests or not multiple:
            raise ValueError(f"{text!r} is not a quota: write a number of requests and a time, such as 600/minute")
        return cls(requests, multiple * _SECONDS[match[3]])

    def __str__(self) -> str:
        unit = next(name for name in ("day", "hour", "minute", "second") if self.seconds % _SECONDS[name] == 0)
        multiple = self.seconds // _SECONDS[unit]
        return f"{self.requests}/{unit}" if multiple == 1 else f"{self.requests}/{multiple} {unit}s"
