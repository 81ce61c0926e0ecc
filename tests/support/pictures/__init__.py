"""Pictures, small archives of them, and small networks for tests of training. Imports nothing else of the tests."""
