"""Exact search over the vectors of a catalogue, in memory; imports the domain and the product, no web, wire or database."""
