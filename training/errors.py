"""The errors of training, one sentence each."""


class TrainingError(Exception):
    """Training or evaluation cannot continue. The text is one sentence for the person at the terminal."""
