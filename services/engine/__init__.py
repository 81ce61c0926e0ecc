"""Exact search over the vectors of a catalogue, in memory.

It imports the domain's contracts and the product; it imports no web framework, wire format or database.
"""
