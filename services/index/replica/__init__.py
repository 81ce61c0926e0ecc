"""The index's copy of the catalogue and its snapshot on disk. It imports the engine and the catalogue's documents."""
