"""The figures of a detector: on composed scenes, people's photos and street photos."""
