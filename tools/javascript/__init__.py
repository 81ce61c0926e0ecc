"""Checks of the JavaScript that the gateway serves, with Biome and TypeScript; imports nothing of the project."""
