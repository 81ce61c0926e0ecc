"""The prose linter of `make lint`: the house's words in documents and code, and links that resolve.

The package `vale` from PyPI holds no linter: it downloads one when it first runs. `make lint` has to work offline.
"""
