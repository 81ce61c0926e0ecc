"""One kind of product a module: its cuts, colours and patterns; imports drawing."""
