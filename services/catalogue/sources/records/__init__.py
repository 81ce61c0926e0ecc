"""The records of a feed and the rows that they become; imports the product and contracts, no format."""
