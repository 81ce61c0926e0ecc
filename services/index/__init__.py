"""The index service: the catalogue in memory, searchable without the database; imports contracts, catalogue and engine."""
