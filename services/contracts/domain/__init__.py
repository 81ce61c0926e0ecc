"""Values that every service knows, such as categories, filters and errors; imports nothing else of the project."""
