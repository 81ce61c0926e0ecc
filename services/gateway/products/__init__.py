"""Single products: put, get and delete; imports the search and the catalogue, no routes."""
