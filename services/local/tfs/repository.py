"""The served models: lookup by name, checks for new versions, and reconfiguration."""

import threading
from collections.abc import Callable, Iterable

from services.local.tfs.errors import not_found
from services.local.tfs.versions import Model, ModelConfig, State


class Repository:
    """Checks the base path of every model in a thread, as TensorFlow Serving does.

    Args:
        configs: the models to serve.
        poll_s: seconds between two checks (`file_system_poll_wait_seconds`).
        make: creates a model from its config.
    """

    def __init__(
        self, configs: Iterable[ModelConfig], poll_s: float = 2.0, make: Callable[[ModelConfig], Model] = Model
    ) -> None:
        self._make = make
        self._models = {config.name: make(config) for config in configs}
        self._poll_s = poll_s
        self._refreshing = threading.Lock()  # one refresh at a time
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="versions", daemon=True)

    def start(self) -> None:
        """Start the checks. The first versions are loaded in the background."""
        self._thread.start()

    def close(self) -> bool:
        """Stop the checks; return whether the thread has ended. A load in progress cannot be interrupted."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=1)
        return not self._thread.is_alive()

    def model(self, name: str) -> Model:
        """Return a model by its name.

        Raises:
            ServingError: there is no model of this name (NOT_FOUND).
        """
        model = self._models.get(name)
        if model is None:
            raise not_found(f"Servable not found for request: Latest({name})")
        return model

    def statuses(self, name: str, number: int | None = None) -> dict[int, tuple[State, str]]:
        """Return the state and the error text of a model's versions, or of one version.

        Raises:
            ServingError: there is no such model or version (NOT_FOUND).
        """
        model = self._models.get(name)
        if model is None:
            raise not_found(f"Could not find any versions of model {name}")
        return model.statuses(number)

    def reload(self, configs: Iterable[ModelConfig]) -> None:
        """Replace the served models by these, and check their versions once.

        Raises:
            ServingError: a label is assigned to a version that is not AVAILABLE (FAILED_PRECONDITION).
        """
        models = {}
        for config in configs:
            model = self._models.get(config.name)
            if model is None or model.config.base_path != config.base_path:
                model = self._make(config)
            else:
                model.reconfigure(config)
            models[config.name] = model
        self._models = models
        self.refresh()

    def refresh(self) -> None:
        """Check the base path of every model once."""
        with self._refreshing:
            for model in list(self._models.values()):
                model.refresh()

    def _watch(self) -> None:
        while not self._stop.is_set():
            self.refresh()
            self._stop.wait(self._poll_s)
