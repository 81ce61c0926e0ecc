"""The demand report: the searches that shoppers made without finding a product; imports the log and the store."""
