"""A catalogue of fashion products drawn by code: what the demo and the tests search in when there is no download."""
