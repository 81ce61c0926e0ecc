"""A feed's record and the row that it becomes; imports the product and contracts, no format."""
