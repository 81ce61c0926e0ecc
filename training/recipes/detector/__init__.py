"""The garment detector, its head trained on composed scenes; imports publishing and below."""
