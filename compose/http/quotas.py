"""Routes about quotas."""

from types import MappingProxyType

import msgspec

from compose.quotas import Quotas
from ingest.http.endpoint import Call, Endpoint, Reply
from ingest.http.query import Parameters, read_flag
from schemas.rest.decode import decode_body
from schemas.rest.quotas import QuotaConfig, QuotaStatus

TAG = "Quotas"
_WAITS: Parameters = MappingProxyType({"wait": read_flag})
_decode = msgspec.json.Decoder(QuotaConfig)


class QuotaRoutes:
    """Tell and set quotas."""

    def __init__(self, quotas: Quotas) -> None:
        self._quotas = quotas

    def endpoints(self) -> list[Endpoint]:
        """The two routes."""
        return [
            Endpoint("GET", "/quotas", self._get, "Get global quotas", TAG, result=QuotaStatus),
            Endpoint(
                "PUT", "/quotas", self._set, "Set global quotas", TAG, result=bool, body=QuotaConfig, parameters=_WAITS
            ),
        ]

    async def _get(self, _: Call) -> Reply:
        return Reply(QuotaStatus(self._quotas.config, self._quotas.usage()))

    async def _set(self, call: Call) -> Reply:
        config = decode_body(_decode, call.body)
        config.check()
        self._quotas.set(config)
        return Reply(True)
