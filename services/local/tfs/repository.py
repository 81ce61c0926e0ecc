"""The models that are served: found by name, watched for new versions, reconfigured."""

import threading
from collections.abc import Callable, Iterable

from services.local.tfs.errors import not_found
from services.local.tfs.versions import Model, ModelConfig, State


class Repository:
    """Watches every model's base path in a thread of its own, as TensorFlow Serving does.

    Args:
        configs: the models to serve.
        poll_s: seconds between two looks (`file_system_poll_wait_seconds`).
        make: makes a model of its config.
    """

    def __init__(
        self, configs: Iterable[ModelConfig], poll_s: float = 2.0, make: Callable[[ModelConfig], Model] = Model
    ) -> None:
        self._make = make
        self._models = {config.name: make(config) for config in configs}
        self._poll_s = poll_s
        self._turn = threading.Lock()  # one refresh at a time
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="versions", daemon=True)

    def start(self) -> None:
        """Begin to watch. The first versions are loaded in the background."""
        self._thread.start()

    def close(self) -> bool:
        """Stop watching; return whether the thread has ended: a load under way cannot be interrupted."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=1)
        return not self._thread.is_alive()

    def model(self, name: str) -> Model:
        """Return a model by its name.

        Raises:
            ServingError: there is none of that name (NOT_FOUND).
        """
        model = self._models.get(name)
        if model is None:
            raise not_found(f"Servable not found for request: Latest({name})")
        return model

    def statuses(self, name: str, number: int | None = None) -> dict[int, tuple[State, str]]:
        """Return state and error text of a model's versions, or of one.

        Raises:
            ServingError: there is no such model or version (NOT_FOUND).
        """
        model = self._models.get(name)
        if model is None:
            raise not_found(f"Could not find any versions of model {name}")
        return model.statuses(number)

    def reload(self, configs: Iterable[ModelConfig]) -> None:
        """Serve exactly these models from now on; returns when their versions have been looked for.

        Raises:
            ServingError: a label is given to a version that is not AVAILABLE (FAILED_PRECONDITION).
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
        """Look at every model's base path once."""
        with self._turn:
            for model in list(self._models.values()):
                model.refresh()

    def _watch(self) -> None:
        while not self._stop.is_set():
            self.refresh()
            self._stop.wait(self._poll_s)
