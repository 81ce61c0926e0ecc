"""Decodes large pictures, one at a time, in a process that can be ended."""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import PIPE, Process

import orjson
import structlog

from services.contracts.domain.box import Box
from services.contracts.domain.errors import ImageTooLarge, TooManyRequests
from services.contracts.domain.manifest import InputSize
from services.contracts.images.preparation import ImageFacts, ImageLimits, UInt8Image
from services.embedding.vision.worker_messages import LENGTH_BYTES, DecodeRequest, Frame, lengths, result_of

log = structlog.get_logger()
COMMAND = (sys.executable, "-m", "services.embedding.vision.decode_worker")
IDLE_S = 30.0  # then the process ends: it takes 40 MB
MAX_WAITING = 16  # pictures
WAIT_FACTOR = 4  # times the processor time of a picture: on a busy machine it takes longer
INHERITED = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG")  # no secret is among them


class LargePictures:
    """Decodes pictures as `prepare_image`, in a process that starts with the first one and ends when it is idle.

    The process has limits of memory and processor time. If the caller is cancelled while its picture is decoded, the
    process is ended: the decoders cannot be interrupted. One that is still starting is kept for the next picture.

    Args:
        cpu_s: the most processor time that a picture may take, in seconds.
        command: starts the process.
    """

    def __init__(self, cpu_s: int, command: tuple[str, ...] = COMMAND) -> None:
        self._cpu_s = cpu_s
        self._command = command
        self._process: Process | None = None
        self._is_ready = False  # it has started, and reads pictures
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._idle: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int | None:
        """The process, if there is one."""
        return None if self._process is None else self._process.pid

    async def prepare(
        self, file: bytes, size: InputSize, limits: ImageLimits, box: Box | None = None
    ) -> tuple[UInt8Image, ImageFacts]:
        """Decode a picture; see `prepare_image`.

        Raises:
            TooManyRequests: MAX_WAITING pictures are waiting.
            LookalikeError: as `prepare_image`; ImageTooLarge if the process reaches its limits.
        """
        if self._waiting >= MAX_WAITING:
            raise TooManyRequests(
                "too many large pictures are being decoded: try again in a second", limit="large-pictures"
            )
        self._waiting += 1
        try:
            async with self._turn:
                return await self._prepare(DecodeRequest(file, size, limits, box, self._cpu_s))
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """End the process."""
        self._keep_until_idle(None)
        await self._end()

    async def _prepare(self, request: DecodeRequest) -> tuple[UInt8Image, ImageFacts]:
        self._keep_until_idle(None)
        is_kept = True
        try:
            process = await self._started()
            is_kept = False
            async with asyncio.timeout(WAIT_FACTOR * self._cpu_s):
                frame = await self._exchange(process, request.frame())
            is_kept = True
            return result_of(frame)
        except (OSError, EOFError):  # the process has ended, or the time is over
            log.warning("decode_worker_ended", status=await self._end())
            raise ImageTooLarge("decoding the image takes too much memory or processor time") from None
        finally:
            if is_kept:
                self._keep_until_idle(IDLE_S)
            else:
                await self._end()

    async def _started(self) -> Process:
        """Return the process once it reads pictures."""
        if self._process is None or self._process.returncode is not None:
            self._is_ready = False
            environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=PIPE, stdout=PIPE, env=environment
            )
        if not self._is_ready:
            await self._read(self._process)
            self._is_ready = True
        return self._process

    async def _exchange(self, process: Process, message: bytes) -> Frame:
        assert process.stdin is not None
        process.stdin.write(message)
        await process.stdin.drain()
        return await self._read(process)

    async def _read(self, process: Process) -> Frame:
        """Return the next message of the process."""
        assert process.stdout is not None
        facts, data = lengths(await process.stdout.readexactly(LENGTH_BYTES))
        return orjson.loads(await process.stdout.readexactly(facts)), await process.stdout.readexactly(data)

    def _keep_until_idle(self, seconds: float | None) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = None if seconds is None else asyncio.get_running_loop().call_later(seconds, self._kill)

    def _kill(self) -> None:
        """End the idle process; asyncio awaits its exit."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()

    async def _end(self) -> int | None:
        """End the process, if there is one, and return its exit status."""
        process, self._process = self._process, None
        if process is None:
            return None
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        return await process.wait()
