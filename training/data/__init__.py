"""Data sets: archives, photos, backgrounds and how they are split; imports services only."""
