"""Which models are indexed and which one is active. It imports the replica and what follows the database."""
