"""The connection to MongoDB: the driver, its errors and bulk writes; imports no other part of the store."""
