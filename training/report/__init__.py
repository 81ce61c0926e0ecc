"""Reports and pictures of a model; imports the evaluation."""
