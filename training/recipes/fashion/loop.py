"""Trains the network that Lookalike ships, in steps, with checkpoints from which an interrupted run goes on."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.progress import Terminal
from training.recipes.fashion.batches import Batches
from training.recipes.fashion.checkpoint import (
    History,
    RunSettings,
    Stored,
    find_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from training.recipes.fashion.plan import LOSSES
from training.recipes.fashion.trainer import Trainer

TOLD_EVERY = 50  # steps; the history holds the means over as many
SAVED_EVERY = 100  # steps, about a minute; a multiple of TOLD_EVERY, so that no mean spans an interruption


def fit(
    trainer: Trainer,
    batches: Batches,
    settings: RunSettings,
    run_dir: Path,
    terminal: Terminal,
    clock: Callable[[], float] = time.monotonic,
) -> History:
    """Train to the plan's end, going on from a checkpoint; return the losses along the way.

    Raises:
        TrainingError: the run directory holds another run, or a loss is no longer a number.
        OSError: the checkpoint cannot be written.
        KeyboardInterrupt: passed on; the last checkpoint is in the run directory.
    """
    history = _go_on(trainer, find_checkpoint(run_dir, settings), run_dir, terminal)
    sums, count, began = np.zeros(len(LOSSES)), 0, clock()
    while trainer.step < trainer.plan.steps:
        size = trainer.plan.size_at(trainer.step, batches.size)
        sums += trainer.train(*batches(trainer.step, size))
        count += 1
        last = trainer.step == trainer.plan.steps
        if trainer.step % TOLD_EVERY == 0 or last:
            history.append(_entry(trainer.step, sums / count, clock() - began))
            terminal.line(_told(history[-1], trainer.plan.steps, count))
            sums, count, began = np.zeros(len(LOSSES)), 0, clock()
        if trainer.step % SAVED_EVERY == 0 or last:
            save_checkpoint(run_dir, settings, trainer, history)
    return history


def _go_on(trainer: Trainer, stored: Stored | None, run_dir: Path, terminal: Terminal) -> History:
    if stored is None:
        return []
    load_checkpoint(run_dir, stored, trainer)
    terminal.line(f"going on from {run_dir}: {stored.step:,} steps of {trainer.plan.steps:,} are done")
    return list(stored.history)


def _entry(step: int, losses: NDArray[np.float64], seconds: float) -> dict[str, float]:
    return {"step": step, **dict(zip(LOSSES, losses.tolist(), strict=True)), "seconds": seconds}


def _told(entry: dict[str, float], steps: int, count: int) -> str:
    losses = "  ".join(f"{name} {entry[name]:.3f}" for name in LOSSES)
    return f"step {entry['step']:,.0f}/{steps:,}  {losses}  {entry['seconds'] / count:.2f} s a step"
