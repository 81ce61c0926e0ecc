"""Fetching, checking and preparing images for the network; imports only the domain."""
