"""The detector: where the garments of a photo are, and of which kind each is."""
