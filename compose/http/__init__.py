"""The HTTP application around the routes: dispatch, OpenAPI page, service endpoints."""
