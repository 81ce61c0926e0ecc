"""The commands that change the model: what they run and what they show."""
