"""The code of the running product: three services and what they share. It imports no tests or tools."""
