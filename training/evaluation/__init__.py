"""The figures of a model and of a detector; imports data, networks and the engine, no report and no recipe."""
