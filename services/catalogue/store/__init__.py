"""Everything that is kept in MongoDB; the only package that imports its driver, which its folder mongo does."""
