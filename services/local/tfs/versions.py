"""The versions of a model: their directories, the version policy, and their states."""

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
    """The versions to serve: the `latest` N, `specific` ones, or all (neither is set)."""

    latest: int | None = 1
    specific: tuple[int, ...] = ()

    def choose(self, versions: set[int]) -> set[int]:
        """Return the versions to serve."""
        if self.specific:
            return versions & set(self.specific)
        return set(sorted(versions)[-self.latest :]) if self.latest else versions


@dataclass(frozen=True)
class ModelConfig:
    """One model to serve: its versions are the numeric directories in `base_path`; labels are names of versions."""

    name: str
    base_path: Path
    policy: Policy = Policy()
    labels: Mapping[str, int] = field(default_factory=dict)


class LoadedSignatures(Protocol):
    """The signatures of a loaded version."""

    @property
    def signatures(self) -> Mapping[str, Signature]: ...


Loader = Callable[[Path], LoadedSignatures]


@dataclass
class Version:
    """The state of one version directory, and its signatures while it is AVAILABLE."""

    state: State = State.START
    error: str = ""
    fingerprint: object = None
    loaded: LoadedSignatures | None = None


def _fingerprint(path: Path) -> object:
    """Return a value that changes when files of a version directory change."""
    files = sorted(path.rglob("*"))
    return [(str(file), stat.st_size, stat.st_mtime_ns) for file in files if (stat := file.stat())]


def _sentence(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


class Model:
    """The versions of one model. Only one thread may call `refresh`; the other methods are thread-safe."""

    def __init__(self, config: ModelConfig, loader: Loader = SavedModel) -> None:
        self.config = config
        self._loader = loader
        self._versions: dict[int, Version] = {}
        self._lock = threading.Lock()
        self._warning = ""

    def refresh(self) -> None:
        """Check the base path once: load new versions, then unload those that the policy no longer selects."""
        chosen = self.config.policy.choose(self._version_numbers())
        for number in sorted(chosen):
            self._load(number)
        with self._lock:
            available = {n for n in chosen if self._versions[n].state is State.AVAILABLE}
            stale = [n for n, v in self._versions.items() if n not in chosen and v.state is not State.END]
        for number in stale:
            if available or not chosen:  # an old version is served until a new one is available
                self._unload(number)

    def statuses(self, number: int | None = None) -> dict[int, tuple[State, str]]:
        """Return the state and the error text of each version, or of one version.

        Raises:
            ServingError: there is no such version (NOT_FOUND).
        """
        with self._lock:
            statuses = {n: (v.state, v.error) for n, v in self._versions.items() if number in (None, n)}
        if not statuses:
            which = "any versions" if number is None else f"version {number}"
            raise not_found(f"Could not find {which} of model {self.config.name}")
        return statuses

    def select(self, number: int | None = None, label: str | None = None) -> tuple[int, LoadedSignatures]:
        """Return an AVAILABLE version: by number, by label, or the highest.

        Raises:
            ServingError: the label is unknown (INVALID_ARGUMENT), or the version is not loaded (NOT_FOUND).
        """
        if label is not None:
            number = self.config.labels.get(label)
            if number is None:
                raise invalid(f"Unrecognized servable version label: {label}")
        with self._lock:
            available = {n: v.loaded for n, v in self._versions.items() if v.state is State.AVAILABLE and v.loaded}
        chosen = max(available, default=None) if number is None else number
        if chosen is None or chosen not in available:
            requested = f"Latest({self.config.name})" if number is None else f"Specific({self.config.name}, {number})"
            raise not_found(f"Servable not found for request: {requested}")
        return chosen, available[chosen]

    def reconfigure(self, config: ModelConfig) -> None:
        """Set a new config; the next `refresh` applies it.

        Raises:
            ServingError: a label is assigned to a version that is not AVAILABLE (FAILED_PRECONDITION).
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

    def _version_numbers(self) -> set[int]:
        base = self.config.base_path
        numbers = {int(p.name) for p in base.iterdir() if p.name.isdecimal() and p.is_dir()} if base.is_dir() else set()
        warning = "" if numbers else f"{base} has no version directories such as {base}/1: waiting for one"
        if warning and warning != self._warning:
            log.warning("no versions", model=self.config.name, reason=warning)
        self._warning = warning
        return numbers

    def _load(self, number: int) -> None:
        path = self.config.base_path / str(number)
        with self._lock:
            version = self._versions.setdefault(number, Version())
        if version.state is State.AVAILABLE:
            return
        fingerprint: object = None
        try:
            fingerprint = _fingerprint(path)
            if version.state is State.END and fingerprint == version.fingerprint:
                return  # it failed before and has not changed since
            self._set(number, State.LOADING, fingerprint=fingerprint)
            if not (path / "saved_model.pb").is_file():
                raise FileNotFoundError(f"{path} has no saved_model.pb: copy the whole version directory")
            started = time.perf_counter()
            loaded = self._loader(path)
        except (
            Exception
        ) as error:  # TensorFlow raises any exception for an incomplete model, and the server must continue
            self._set(number, State.END, error=_sentence(error), fingerprint=fingerprint)
            log.warning("version not loaded", model=self.config.name, version=number, reason=_sentence(error))
            return
        self._set(number, State.AVAILABLE, loaded=loaded, fingerprint=fingerprint)
        seconds = round(time.perf_counter() - started, 2)
        log.info("version available", model=self.config.name, version=number, seconds=seconds)

    def _unload(self, number: int) -> None:
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
