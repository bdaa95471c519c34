"""Measures a cluster on this machine: a broker, a projector and an api, each in processes of its own."""
