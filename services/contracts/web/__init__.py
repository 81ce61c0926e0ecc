"""The frame of every web service: app, errors over HTTP, logs and metrics, body limits; imports domain and wire."""
