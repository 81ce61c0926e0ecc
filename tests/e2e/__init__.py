"""Tests of the pages in a browser. They are a package so that the shop they share ends with them."""
