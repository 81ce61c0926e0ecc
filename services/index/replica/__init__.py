"""The index's copy of the catalogue and its snapshot on disk; imports engine and catalogue documents."""
