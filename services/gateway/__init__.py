"""The gateway: the public API and the pages; imports contracts and the catalogue, no other service."""
