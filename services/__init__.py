"""The code of the running product: three services and what they share; nothing here imports training, tests or tools."""
