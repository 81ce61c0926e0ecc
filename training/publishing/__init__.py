"""A trained network becomes a model directory, whole or not at all; imports evaluation and report."""
