"""Files and pictures of the pages; imports contracts only."""
