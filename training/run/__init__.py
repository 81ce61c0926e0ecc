"""A training run of any recipe: settings, checkpoint, loop and learning rate; imports no recipe and no data."""
