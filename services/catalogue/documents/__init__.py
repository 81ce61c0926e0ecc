"""Products as MongoDB documents, new form and legacy; imports the product, no database driver."""
