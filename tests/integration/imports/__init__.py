"""Tests of imports by processes. They are a package so that the processes they share end with them."""
