"""How the OpenAPI document describes bodies and names their schemas; only routes and the app import it."""
