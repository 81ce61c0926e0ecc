"""One recipe a network, each a package; the only users are the train command and the tests."""
