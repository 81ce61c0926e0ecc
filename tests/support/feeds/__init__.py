"""Feeds for tests: generated ones, rows of files, and examples of Google and Shopify."""
