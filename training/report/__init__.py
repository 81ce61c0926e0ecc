"""Reports, model cards and pictures; imports the evaluation and everything below it."""
