"""One module a kind of product: how each cut is drawn, in which colours and patterns it comes."""
