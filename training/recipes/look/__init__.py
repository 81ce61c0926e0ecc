"""Which garments go together: a look model, learned from the outfits of street photos."""
