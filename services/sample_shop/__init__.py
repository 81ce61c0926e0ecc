"""A catalogue of fashion products drawn by code, for the demo and the tests; imports nothing else of the project but contracts."""
