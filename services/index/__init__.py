"""The index service: searches the products' vectors in memory. It imports the engine, the catalogue and contracts."""
