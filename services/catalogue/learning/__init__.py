"""The order that is learned from clicks: training and its report, and what the gateway applies; imports the store."""
