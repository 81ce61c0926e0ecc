"""The figures of a model; imports data, networks and the engine, no recipe."""
