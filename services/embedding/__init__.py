"""The embedding service: what the network sees in an image; imports contracts only."""
