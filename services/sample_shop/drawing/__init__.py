"""Drawing: outlines, masks, cloth and light; knows no garment and imports nothing of the project."""
