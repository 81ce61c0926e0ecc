"""`python -m services.embedding.vision.decode_worker`: decodes large pictures in a process with limits of its own.

Requests come on the standard input, results go to the standard output, each as in `worker_messages`. The process ends
with its input. It imports neither gRPC nor the web framework: 40 MB.
"""

import contextlib
import os
import resource
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # each thread of NumPy's library reserves memory

from services.contracts.domain.errors import ImageTooLarge, LookalikeError
from services.contracts.images.preparation import prepare_image
from services.embedding.vision.worker_messages import (
    READY,
    DecodeRequest,
    failure,
    pack,
    read_frame,
    read_request,
    success,
)

MARGIN_BYTES = 256 * 1024 * 1024  # of address space, for what decoding needs in addition to `max_memory_bytes`

NICENESS = 10  # searches by ordinary photos, which take milliseconds, go first


def main() -> None:
    """Decode until the input ends."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # nothing that a library prints is taken for a result
    os.nice(NICENESS)
    sink.write(pack(READY, b""))
    sink.flush()
    while (frame := read_frame(source)) is not None:
        request = read_request(frame)
        limit_memory(request.limits.max_memory_bytes)
        limit_processor_time(request.cpu_s)
        sink.write(_decode(request))
        sink.flush()


def _decode(request: DecodeRequest) -> bytes:
    try:
        return success(*prepare_image(request.file, request.size, request.limits, request.box))
    except LookalikeError as error:
        return failure(error)
    except MemoryError:
        return failure(ImageTooLarge("the image needs more memory than is available"))


def limit_memory(max_bytes: int) -> None:
    """Bound the address space to its present size, `max_bytes` and a margin. Only Linux reports the present size."""
    with contextlib.suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        limit = pages * resource.getpagesize() + max_bytes + MARGIN_BYTES
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def limit_processor_time(seconds: int) -> None:
    """Let the system end this process after `seconds` more of processor time."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 1 + seconds, hard))


if __name__ == "__main__":
    main()
