"""Conditions on attributes: filters, what matches them, counts of values, and times; imports the domain."""
