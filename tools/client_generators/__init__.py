"""Installs the generator of Python clients that a test runs on the live OpenAPI document; imports nothing."""
