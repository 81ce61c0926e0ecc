"""What goes wrong in training, in one sentence each."""


class TrainingError(Exception):
    """Training or evaluation cannot go on. The text is one sentence for the person at the terminal."""
