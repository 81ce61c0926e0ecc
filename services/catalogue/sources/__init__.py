"""The sources of products: feeds, folders and archives, read as rows; imports contracts and the product."""
