"""The HTTP routes: each parses, calls the domain and shapes the response; nothing but the app imports them."""
