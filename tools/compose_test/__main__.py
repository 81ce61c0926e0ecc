"""`python -m tools.compose_test`: build the Compose stack, start it, fill it, search it, disturb it, remove it.

--servers real|stand-in|auto   MongoDB and TensorFlow Serving: pulled, stand-ins, or the first that works (auto)
--only all|run|bad-input       test the running stack, wrong installations, or both. Default: all
--keep                         leave the stack running
"""

import argparse
import os
import secrets
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from services.sample_shop.catalogue import write_sample
from tools.compose_test import bad_input, checks, images, measure, snapshots
from tools.compose_test.load import Load
from tools.compose_test.project import ROOT, SERVICES, Failed, Project, check, eventually

NAME = "lookalike-test"
EMBEDDING_IDLE_MB = 120.0
CAUGHT_UP_S = 60.0  # after MongoDB was killed, its address may be new, and a driver's pause between attempts grows


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def example() -> dict[str, str]:
    """Return the values that .env.example sets."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def maker(folder: Path, port: int) -> Callable[..., Project]:
    """Return a function that creates a project with the settings of .env.example and some others."""
    tags = {k: os.environ[k] for k in ("MONGO_TAG", "TFS_TAG", "LOOKALIKE_TAG") if k in os.environ}
    own = {"GATEWAY_PORT": str(port), "IMPORT_DIR": str(folder / "sample"), "INDEX_SNAPSHOT_S": "2"}
    own |= {name: secrets.token_hex(16) for name in ("MONGO_PASSWORD", "MONGO_INDEX_PASSWORD")}
    basis = {**example(), "LOOKALIKE_TAG": "test", "TFS_GPU_TAG": "2.21.0-gpu", **tags, **own}

    def make(name: str = "", *, files: tuple[str, ...] = (), without: tuple[str, ...] = (), **settings: Any) -> Project:
        merged = {**basis, **{key: str(value) for key, value in settings.items()}}
        remaining = {key: value for key, value in merged.items() if key not in without}
        return Project(f"{NAME}-{name}" if name else NAME, folder, remaining, files)

    return make


def bring_up(project: Project) -> None:
    say("\nStart")
    began = time.monotonic()
    project("up", "-d")
    project.wait_healthy("gateway")
    say(f"  docker compose up to a healthy gateway: {time.monotonic() - began:.1f} s")


def show_sizes(project: Project) -> list[str]:
    """Print the sizes and return a sentence for each image that is too large."""
    say("\nImages over the base image, MB")
    sizes = images.sizes_over_base(project)
    for name, size in sizes.items():
        limit = images.LIMITS_MB.get(name)
        say(f"  {name:10} {size:6.1f}" + (f"   (at most {limit})" if limit else ""))
    return [f"the image of {name} is too large" for name, limit in images.LIMITS_MB.items() if sizes[name] >= limit]


def show_start_times(project: Project) -> list[str]:
    """Print the seconds until each service is ready, the best of three starts; return a sentence for each slow one."""
    say("\nStart of a container to ready, the others running, seconds: the best of three starts")
    problems = []
    for service in measure.PORTS:
        seconds = min(measure.start_to_ready_s(project, service) for _ in range(3))
        limit = measure.READY_WITHIN_S.get(service)
        say(f"  {service:10} {seconds:6.2f}" + (f"   (under {limit:g})" if limit else ""))
        if limit is not None and seconds >= limit:
            problems.append(f"{service} takes {seconds:.2f} s to be ready")
    for service in SERVICES:
        project.wait_healthy(service)
    return problems


def fill(project: Project, gateway: str, folder: Path) -> tuple[int, dict[str, bytes]]:
    """Import the sample catalogue twice, search it, and return its size and a photo of each category, by its key."""
    say("\nCatalogue")
    feed = write_sample(folder / "sample")
    began = time.monotonic()
    summary = checks.import_sample(project, feed)
    say(
        f"  imported {summary['imported']} products in {time.monotonic() - began:.1f} s, rejected {summary['rejected']}"
    )
    total = int(summary["imported"])
    check(total >= 360 and not summary["rejected"], f"the import: {summary}")
    again = checks.import_sample(project, feed)
    check(again["unchanged"] == total and not again["imported"], f"the second import: {again}")
    photos = {path.stem: path.read_bytes() for path in sorted((folder / "sample").rglob("*-001.*"))}
    check(len(photos) == 9, f"nine categories: {sorted(photos)}")
    eventually(lambda: checks.products(gateway) == total, 10, "the index holds every product")
    for key, photo in photos.items():
        name = next((name for name in (key, f"sample-{key}") if checks.finds_itself(gateway, photo, name)), None)
        check(name is not None, f"{key} is not found by its own photo")
        checks.filters_and_facets(gateway, photo)
        checks.look_is_learned(gateway, str(name))
    say("  a second import changes nothing; a photo of each category finds its product, score above 0.999")
    say("  each of these products has a look, from the look model")
    return total, photos


def disturb(project: Project, gateway: str, total: int, photos: list[bytes], services: Sequence[str]) -> list[str]:
    """Stop and kill each container under load, and return a sentence for each problem.

    Raises:
        Failed: a product is lost.
    """
    idle = measure.memory_mb(project)
    outages: list[checks.Outage] = []
    with Load(gateway, photos) as load:
        time.sleep(5)
        loaded = measure.memory_mb(project)
        say("\nMemory, MB      idle   under load")
        for service in SERVICES:
            say(f"  {service:10} {idle[service]:8.1f}   {loaded[service]:8.1f}")
        check(idle["embedding"] < EMBEDDING_IDLE_MB, f"embedding idles at {idle['embedding']:.0f} MB")
        say("\nUnder load: 4 clients searching, 1 writing")
        say("  container  how    stopped  back    searches: answered  waited  broken  failed  longest  products")
        for service in services:
            for how in ("stop", "kill"):
                outages.append(checks.outage(project, load, gateway, service, how, 1.5))
                say(row(outages[-1]))
        written = list(load.written)
    problems = [text for outage in outages for text in judge(outage, total)]
    for text in problems:
        say(f"  WRONG: {text}")
    ended = time.monotonic()
    while lost := checks.lost(gateway, written):
        check(time.monotonic() - ended < CAUGHT_UP_S, f"lost of {len(written)}: {lost[:5]}")
        time.sleep(0.2)
    say(f"  the index has all that was written {time.monotonic() - ended:.1f} s after the end")
    count = checks.products(gateway)
    check(count >= total + len(written), f"the index holds {count} products, not {total} and {len(written)}")
    say(f"  0 of {total} imported and {len(written)} written products lost")
    return problems


def row(outage: checks.Outage) -> str:
    stopped = f"{outage.stopped_s:5.1f} s" if outage.how == "stop" else "      –"
    return (
        f"  {outage.service:10} {outage.how:5} {stopped}  {outage.back_s:5.1f} s"
        f"            {outage.answered:8}  {outage.waited:6}"
        f"  {outage.broken:6}  {outage.failed:6}  {outage.longest_s:5.1f} s  {outage.products:8}"
    )


def judge(outage: checks.Outage, total: int) -> list[str]:
    """Return a sentence for each problem of an outage."""
    graceful = outage.service != "gateway" or outage.how == "stop"
    rules = (
        (outage.failed == 0, f"{outage.failed} searches failed: {'; '.join(outage.failures)}"),
        (outage.stopped_s < checks.STOPS_WITHIN_S[outage.service], f"it took {outage.stopped_s:.1f} s to stop"),
        (outage.products >= total, f"{outage.products} products of {total}"),
        (
            outage.broken == 0 or not graceful,
            f"{outage.broken} searches in progress got no response: {'; '.join(outage.failures)}",
        ),
    )
    return [f"{outage.service}, {outage.how}: {text}" for holds, text in rules if not holds]


def down_and_up(project: Project, gateway: str) -> None:
    """Remove the containers, not the volumes, and start everything again."""
    before = checks.products(gateway)
    project("down", "--timeout", "8")
    began = time.monotonic()
    project("up", "-d")
    project.wait_healthy("gateway")
    check(checks.products(gateway) == before, f"{checks.products(gateway)} products after down and up, {before} before")
    say(f"\nDown and up again: {before} products, healthy after {time.monotonic() - began:.1f} s")


def whole_run(project: Project, gateway: str, folder: Path, services: Sequence[str]) -> None:
    """Test a stack that is installed correctly."""
    problems = show_sizes(project)
    checks.without_compilers(project)
    bring_up(project)
    checks.walls(project)
    say("  no root, read-only, no capabilities, no port but the gateway's, no compiler, no TensorFlow")
    total, photos = fill(project, gateway, folder)
    problems += show_start_times(project)
    problems += disturb(project, gateway, total, list(photos.values()), services)
    checks.packages_are_whole(project)
    down_and_up(project, gateway)
    snapshots.all_checks(project, gateway, photos, say)
    checks.packages_are_whole(project)
    check(not problems, "; ".join(problems))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.compose_test", description=__doc__)
    parser.add_argument("--servers", choices=("auto", "real", "stand-in"), default="auto")
    parser.add_argument("--only", choices=("all", "run", "bad-input"), default="all")
    parser.add_argument("--end", nargs="*", choices=SERVICES, default=SERVICES)
    parser.add_argument("--keep", action="store_true")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="lookalike-compose-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        port = free_port()
        make = maker(folder, port)
        project = make()
        try:
            began = time.monotonic()
            uses_stand_ins = images.prepare(project, options.servers)
            servers = "stand-ins (tests/compose)" if uses_stand_ins else "the real images"
            say(f"MongoDB and TensorFlow Serving: {servers}")
            say(f"Images ready after {time.monotonic() - began:.0f} s")
            if options.only in ("all", "run"):
                whole_run(project, f"http://127.0.0.1:{port}", folder, options.end)
            if options.only == "all":
                project.down()  # the next projects use the same port
            if options.only in ("all", "bad-input"):
                say("\nBad input")
                bad_input.all_cases(make, folder, say)
        except Failed as error:
            say(f"\nFAILED: {error}")
            return 1
        finally:
            if not options.keep:
                project.down()
    say("\npassed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
