"""The import command: what it runs and what it shows."""
