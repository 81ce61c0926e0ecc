"""The services and servers for tests, and the stacks that they make. May import the other folders."""
