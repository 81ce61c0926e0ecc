"""Imports that the API starts and reports on; imports the catalogue, no routes."""
