"""Images from outside: fetching, checking and preparing them for the network; imports only the domain."""
