"""Where products come from: feeds, folders and archives, each read as the same rows; imports contracts and the product."""
