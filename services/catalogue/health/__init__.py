"""The catalogue doctor: what is wrong with the products; imports documents and contracts."""
