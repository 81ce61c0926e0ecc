"""The networks and their pretrained weights; imports no data and no recipe."""
