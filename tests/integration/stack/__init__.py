"""Tests of the whole stack. They are a package so that the stack they share ends with them."""
