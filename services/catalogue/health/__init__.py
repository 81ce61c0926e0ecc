"""The catalogue doctor, which reports problems of the products; imports documents and contracts."""
