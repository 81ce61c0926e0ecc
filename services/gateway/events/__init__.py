"""Taking in events, and keeping searches; imports the catalogue's log, no web framework."""
