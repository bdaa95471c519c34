from typing import Any

HealthCheckRequest: Any
HealthCheckResponse: Any
