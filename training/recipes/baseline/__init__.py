"""The original network, trained in epochs with early stopping; imports publishing and everything below it."""
