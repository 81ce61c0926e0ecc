"""What importing a module loads: each test runs a program in an interpreter of its own."""

import subprocess
import sys

from tests.support.waiting import WITHIN_S

MESSAGES_ONLY = """
import sys
from services.contracts.wire import serving_messages as serving_api
request = serving_api.predict_pb2.PredictRequest()
request.inputs["image"].dtype = serving_api.types_pb2.DT_UINT8
maps = open("/proc/self/maps").read() if sys.platform == "linux" else ""
assert "libtensorflow" not in maps and "_pywrap" not in maps
assert "tensorflow" not in sys.modules and "tensorflow.python" not in sys.modules
"""
HEALTH_CHECK_ONLY = """
import sys, services.contracts.web.health
loaded = [name for name in ("pydantic", "structlog", "fastapi", "numpy", "httpx") if name in sys.modules]
assert not loaded, loaded
"""
TENSORFLOW_AFTERWARDS = """
from services.contracts.wire import serving_messages as serving_api
import tensorflow as tf
proto = tf.make_tensor_proto([1.0, 2.0])
assert isinstance(proto, serving_api.tensor_pb2.TensorProto)
assert (tf.constant([1]) + 1).numpy().tolist() == [2]
"""
TENSORFLOW_MISSING = """
import importlib.util, sys
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "tensorflow" else found(name, package)
try:
    from services.contracts.wire import serving_messages as serving_api
except ImportError as error:
    assert "message modules" in str(error)
else:
    raise SystemExit("imported without its messages")
assert "tensorflow" not in sys.modules
"""
SERVICES_WITHOUT_UNUSED_PACKAGES = """
import importlib, sys
services = [importlib.import_module(f"services.{name}.__main__") for name in ("gateway", "embedding", "index")]
for service in services:
    service.service()
loaded = [name for name in ("rich", "pygments", "pydantic.v1", "structlog", "httpx") if name in sys.modules]
assert loaded == ["structlog", "httpx"], loaded
import rich.console, services.cli  # the commands can have it in the same process
"""


def succeeds(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=WITHIN_S, check=False
    )
    assert done.returncode == 0, done.stderr


def test_serving_messages_are_imported_without_tensorflow() -> None:
    succeeds(MESSAGES_ONLY)


def test_tensorflow_is_complete_when_imported_after_the_messages() -> None:
    succeeds(TENSORFLOW_AFTERWARDS)


def test_missing_message_modules_are_named_in_the_error() -> None:
    succeeds(TENSORFLOW_MISSING)


def test_the_health_check_imports_only_the_standard_library() -> None:
    succeeds(HEALTH_CHECK_ONLY)


def test_services_import_no_package_that_only_commands_use() -> None:
    succeeds(SERVICES_WITHOUT_UNUSED_PACKAGES)
