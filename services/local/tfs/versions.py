"""Which versions of a model are loaded: the version directories, the policy, and each version's state."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Protocol

import structlog

from services.local.tfs.errors import invalid, not_found, precondition
from services.local.tfs.savedmodel import SavedModel, Signature

log = structlog.get_logger()


class State(IntEnum):
    """States of a version, with the numbers of `GetModelStatusResponse`."""

    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclass(frozen=True)
class Policy:
    """Which of the version directories to serve: the `latest` so many, `specific` ones, or all (neither is set)."""

    latest: int | None = 1
    specific: tuple[int, ...] = ()

    def choose(self, versions: set[int]) -> set[int]:
        """Return those of the versions that are to be served."""
        if self.specific:
            return versions & set(self.specific)
        return set(sorted(versions)[-self.latest :]) if self.latest else versions


@dataclass(frozen=True)
class ModelConfig:
    """One model to serve: versions are the numeric directories under `base_path`; labels name versions."""

    name: str
    base_path: Path
    policy: Policy = Policy()
    labels: Mapping[str, int] = field(default_factory=dict)


class LoadedSignatures(Protocol):
    """What a loader returns: the signatures of a loaded version."""

    @property
    def signatures(self) -> Mapping[str, Signature]: ...


Loader = Callable[[Path], LoadedSignatures]


@dataclass
class Version:
    """One version directory: where it is in its life, and its network while it is AVAILABLE."""

    state: State = State.START
    error: str = ""
    fingerprint: object = None
    loaded: LoadedSignatures | None = None


def _fingerprint(path: Path) -> object:
    """Return what changes when files are added to or rewritten in a version directory."""
    files = sorted(path.rglob("*"))
    return [(str(file), stat.st_size, stat.st_mtime_ns) for file in files if (stat := file.stat())]


def _sentence(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


class Model:
    """The versions of one model. `refresh` is called by one thread; the rest may be called from any."""

    def __init__(self, config: ModelConfig, loader: Loader = SavedModel) -> None:
        self.config = config
        self._loader = loader
        self._versions: dict[int, Version] = {}
        self._lock = threading.Lock()
        self._complaint = ""

    def refresh(self) -> None:
        """Look at the base path once: load what is new, then let go of what is no longer wanted."""
        wanted = self.config.policy.choose(self._found())
        for number in sorted(wanted):
            self._bring_up(number)
        with self._lock:
            up = {n for n in wanted if self._versions[n].state is State.AVAILABLE}
            stale = [n for n, v in self._versions.items() if n not in wanted and v.state is not State.END]
        for number in stale:
            if up or not wanted:  # an old version serves on until a new one does
                self._take_down(number)

    def statuses(self, number: int | None = None) -> dict[int, tuple[State, str]]:
        """Return state and error text of each version seen, or of one.

        Raises:
            ServingError: there is none (NOT_FOUND).
        """
        with self._lock:
            found = {n: (v.state, v.error) for n, v in self._versions.items() if number in (None, n)}
        if not found:
            which = "any versions" if number is None else f"version {number}"
            raise not_found(f"Could not find {which} of model {self.config.name}")
        return found

    def select(self, number: int | None = None, label: str | None = None) -> tuple[int, LoadedSignatures]:
        """Return a version that is AVAILABLE: that of the number, that of the label, or the highest.

        Raises:
            ServingError: no such label (INVALID_ARGUMENT), or no such version is loaded (NOT_FOUND).
        """
        if label is not None:
            number = self.config.labels.get(label)
            if number is None:
                raise invalid(f"Unrecognized servable version label: {label}")
        with self._lock:
            up = {n: v.loaded for n, v in self._versions.items() if v.state is State.AVAILABLE and v.loaded}
        chosen = max(up, default=None) if number is None else number
        if chosen is None or chosen not in up:
            asked = f"Latest({self.config.name})" if number is None else f"Specific({self.config.name}, {number})"
            raise not_found(f"Servable not found for request: {asked}")
        return chosen, up[chosen]

    def reconfigure(self, config: ModelConfig) -> None:
        """Take a new base path, policy or labels; the next `refresh` acts on it.

        Raises:
            ServingError: a label is given to a version that is not AVAILABLE (FAILED_PRECONDITION).
        """
        with self._lock:
            states = {n: v.state for n, v in self._versions.items()}
        for label, number in config.labels.items():
            if states.get(number) is not State.AVAILABLE and self.config.labels.get(label) != number:
                raise precondition(
                    f"Request to assign label to version {number} of model {config.name}, which is not currently "
                    "available for inference"
                )
        self.config = config

    def _found(self) -> set[int]:
        base = self.config.base_path
        found = {int(p.name) for p in base.iterdir() if p.name.isdecimal() and p.is_dir()} if base.is_dir() else set()
        complaint = "" if found else f"{base} has no version directories such as {base}/1: waiting for one"
        if complaint and complaint != self._complaint:
            log.warning("no versions", model=self.config.name, reason=complaint)
        self._complaint = complaint
        return found

    def _bring_up(self, number: int) -> None:
        path = self.config.base_path / str(number)
        with self._lock:
            version = self._versions.setdefault(number, Version())
        if version.state is State.AVAILABLE:
            return
        fingerprint: object = None
        try:
            fingerprint = _fingerprint(path)
            if version.state is State.END and fingerprint == version.fingerprint:
                return  # it failed before, and nothing has changed since
            self._set(number, State.LOADING, fingerprint=fingerprint)
            if not (path / "saved_model.pb").is_file():
                raise FileNotFoundError(f"{path} has no saved_model.pb: copy the whole version directory")
            started = time.perf_counter()
            loaded = self._loader(path)
        except Exception as error:  # TensorFlow raises anything for half a model, and the server has to stay up
            self._set(number, State.END, error=_sentence(error), fingerprint=fingerprint)
            log.warning("version not loaded", model=self.config.name, version=number, reason=_sentence(error))
            return
        self._set(number, State.AVAILABLE, loaded=loaded, fingerprint=fingerprint)
        seconds = round(time.perf_counter() - started, 2)
        log.info("version available", model=self.config.name, version=number, seconds=seconds)

    def _take_down(self, number: int) -> None:
        self._set(number, State.UNLOADING)
        self._set(number, State.END)
        log.info("version unloaded", model=self.config.name, version=number)

    def _set(
        self,
        number: int,
        state: State,
        *,
        error: str = "",
        fingerprint: object = None,
        loaded: LoadedSignatures | None = None,
    ) -> None:
        with self._lock:
            self._versions[number] = Version(state, error, fingerprint, loaded)
