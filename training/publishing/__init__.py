"""Writes a trained network as a model version directory, whole or not at all; imports evaluation and report."""
