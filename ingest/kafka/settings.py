"""How to reach Kafka, and the topics a deployment uses."""

import re
import ssl
from pathlib import Path
from typing import Any, Literal, Self, TypedDict, cast

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from ingest.log import Topic

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


_LAST_PORT = 65535
_ADDRESS = re.compile(r"(?:\[[^\s\[\]]+\]|[^\s:\[\]]+)(?::(?P<port>[0-9]+))?|(?:[0-9A-Fa-f]*:){2,}[0-9A-Fa-f.]*")
"""A name or an address, with a port or without; one of IPv6 stands in brackets where a port follows."""

CLIENT_SECONDS = 3.5
"""Clients of the REST API mostly wait for 5 seconds; what can't be done is to be answered well before that."""


class ConnectionArguments(TypedDict):
    """What a connection to one broker takes."""

    client_id: str
    request_timeout_ms: int
    security_protocol: str
    ssl_context: ssl.SSLContext | None
    sasl_mechanism: str
    sasl_plain_username: str | None
    sasl_plain_password: str | None


class ClientArguments(ConnectionArguments):
    """What every client of aiokafka takes."""

    bootstrap_servers: str


class KafkaSettings(BaseModel):
    """A Kafka cluster and the three topics in it. Sizes in bytes, times in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bootstrap_servers: str = "127.0.0.1:9092"
    """host:port, several separated by commas."""
    client_id: str = "headwater"
    prefix: str = Field(default="headwater", pattern=r"^[A-Za-z0-9._-]{1,200}$")
    """Topics are named <prefix>.catalog, <prefix>.points and <prefix>.rejected."""
    partitions: int | None = Field(default=None, ge=1, le=1024)
    """Points partitions; may grow, never shrink. None: as they are, 1 for a new topic."""
    replication_factor: int = Field(default=-1, ge=-1)
    """Of topics that are created; -1 leaves it to the brokers."""

    security_protocol: SecurityProtocol = "PLAINTEXT"
    sasl_mechanism: SaslMechanism = "PLAIN"
    sasl_user: str | None = None
    sasl_password: SecretStr | None = None
    sasl_password_file: Path | None = None
    """Where the password is, as secrets of containers are: a file that holds nothing else."""
    tls_ca: Path | None = None
    """PEM file with the authorities that sign the brokers' certificates; None: those of the system."""
    tls_certificate: Path | None = None
    """PEM file with this client's certificate, where brokers ask for one."""
    tls_key: Path | None = None
    """PEM file with its key, where that is not in the same file."""

    timeout: float = Field(default=10.0, ge=1.0)
    """How long an append or a read may take while Kafka doesn't answer; an api's is ``for_clients``."""
    max_record_bytes: int = Field(default=32 << 20, ge=1 << 10, le=90 << 20)
    """The largest record of topics that are created; topics that exist keep their own limits."""
    batch_bytes: int = Field(default=1 << 20, ge=1)
    """How much of what waits to be sent goes into one request; a larger record goes alone."""
    queue_bytes: int = Field(default=64 << 20, ge=1)
    """How much may wait to be sent before appends wait."""
    fetch_bytes: int = Field(default=8 << 20, ge=1)
    """The most that is fetched at once, per partition; a larger record is fetched alone."""

    @field_validator("bootstrap_servers")
    @classmethod
    def _are_addresses(cls, given: str) -> str:
        addresses = [text for each in given.split(",") if (text := each.strip())]
        found = [_ADDRESS.fullmatch(each) for each in addresses]
        if not found or any(each is None or not 0 < int(each["port"] or 1) <= _LAST_PORT for each in found):
            raise ValueError(f"should be HOST:PORT, several separated by commas, not {given!r}")
        return given

    @model_validator(mode="before")
    @classmethod
    def _read_password(cls, given: Any) -> Any:
        options = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
        if options.get("sasl_password_file") is None:
            return cast("Any", given)
        if options.get("sasl_password") is not None:
            raise ValueError("sasl_password and sasl_password_file are two ways to say the same")
        path = Path(options["sasl_password_file"])
        try:
            return {**options, "sasl_password": path.read_text().removesuffix("\n")}
        except OSError as error:
            raise ValueError(f"the password can't be read from {path}: {error.strerror}") from error

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.security_protocol.startswith("SASL") and (self.sasl_user is None or self.sasl_password is None):
            raise ValueError(f"{self.security_protocol} takes sasl_user and sasl_password")
        paths = (self.tls_ca, self.tls_certificate, self.tls_key)
        if not self.security_protocol.endswith("SSL") and any(path is not None for path in paths):
            raise ValueError(f"tls_ca, tls_certificate and tls_key have no meaning with {self.security_protocol}")
        if self.tls_key is not None and self.tls_certificate is None:
            raise ValueError("tls_key takes tls_certificate")
        return self

    def topic(self, topic: Topic) -> str:
        """The topic's name in Kafka."""
        return f"{self.prefix}.{topic}"

    @property
    def request_timeout(self) -> float:
        """After this time without an answer a connection counts as broken; there is time left to try another."""
        return 0.7 * self.timeout

    def for_clients(self) -> Self:
        """With a time limit that REST clients don't outlive, unless one was chosen."""
        return self if "timeout" in self.model_fields_set else self.model_copy(update={"timeout": CLIENT_SECONDS})

    def client_arguments(self) -> ClientArguments:
        """Arguments for a client, a consumer, a producer or an admin client. Raises OSError (ssl.SSLError)."""
        return {"bootstrap_servers": self.bootstrap_servers, **self.connection_arguments()}

    def connection_arguments(self) -> ConnectionArguments:
        """Arguments for a connection to one broker. Raises OSError (ssl.SSLError)."""
        return {
            "client_id": self.client_id,
            "request_timeout_ms": int(self.request_timeout * 1000),
            "security_protocol": self.security_protocol,
            "ssl_context": self._ssl_context(),
            "sasl_mechanism": self.sasl_mechanism,
            "sasl_plain_username": self.sasl_user,
            "sasl_plain_password": self.sasl_password.get_secret_value() if self.sasl_password is not None else None,
        }

    def _ssl_context(self) -> ssl.SSLContext | None:
        if not self.security_protocol.endswith("SSL"):
            return None
        context = ssl.create_default_context(cafile=self.tls_ca)
        if self.tls_certificate is not None:
            context.load_cert_chain(self.tls_certificate, self.tls_key)
        return context
