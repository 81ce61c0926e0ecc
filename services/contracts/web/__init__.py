"""The common parts of web services: app, HTTP errors, logs, metrics and body limits; imports domain and wire."""
