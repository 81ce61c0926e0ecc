"""Which garments go together: a small model over vectors, and the harmony of colours; numpy, no service."""
