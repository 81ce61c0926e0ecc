"""The figures of models and detectors; imports data, networks, the engine and the gateway's choice of a garment."""
