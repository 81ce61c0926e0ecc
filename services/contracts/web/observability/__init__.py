"""Logs, metrics and traces of a service; imports the domain and other parts of the web."""
