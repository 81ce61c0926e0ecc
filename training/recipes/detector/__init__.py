"""The garment detector, trained on composed scenes."""
