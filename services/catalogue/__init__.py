"""The shop's products: documents, store, feeds and imports; imports contracts, no service."""
