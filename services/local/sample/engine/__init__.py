"""Drawing: outlines, masks, cloth and light. Knows nothing of garments."""
