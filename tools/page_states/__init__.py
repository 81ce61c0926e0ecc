"""The states of the pages: pictures of them to be looked at, and axe in each of them. Imports: tools, services."""
