"""Types of what is used of grpc_health."""
