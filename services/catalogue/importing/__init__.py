"""An import from a source to the store; imports sources, the store and contracts."""
