"""Outlines, masks, cloth and light for any drawing; imports nothing else of the project."""
