"""The order of a search's results after the index; imports contracts and the catalogue, neither searches nor routes."""
