"""From an image to an embedding or to garments; imports contracts, no web framework and no gRPC."""
