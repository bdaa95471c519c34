"""A real broker that asks clients who they are: by certificate, or by password, with TLS and without."""

import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import trustme
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from compose.kafka import KafkaBroker
from tests.support.launching import ROOT
from tests.support.server import HOST, free_port

USER = "writer"
PASSWORD = "let me in"
SCRAM = "SCRAM-SHA-512"
CERTIFICATE, SASL_TLS, SASL_CLEAR = "BYCERT", "BYPASSWORD", "INCLEAR"
_PROTOCOLS = {CERTIFICATE: "SSL", SASL_TLS: "SASL_SSL", SASL_CLEAR: "SASL_PLAINTEXT"}
_JAAS = "org.apache.kafka.common.security.{module}LoginModule required"


class SecureBroker:
    """A broker with an open listener, for Kafka's own tools, and one for each of ``_PROTOCOLS``."""

    def __init__(self, folder: Path) -> None:
        """Make the certificates, in ``folder``."""
        authority = trustme.CA()
        self._folder = folder
        self.ca = folder / "ca.pem"
        self.other_ca = folder / "other-ca.pem"
        self._client = folder / "client.pem"
        self._own = folder / "broker.pem"
        self._ports = {name: free_port() for name in _PROTOCOLS}
        authority.cert_pem.write_to_path(str(self.ca))
        trustme.CA().cert_pem.write_to_path(str(self.other_ca))
        authority.issue_cert("client.test").private_key_and_cert_chain_pem.write_to_path(str(self._client))
        self._own.write_bytes(_for_java(authority.issue_cert(HOST)))

    @contextmanager
    def running(self) -> Generator[KafkaBroker]:
        """The broker; killed at the end."""
        broker = KafkaBroker.start(self._folder / "kafka")
        try:
            broker.stop()
            # Of a setting that is there twice the last one counts.
            with (self._folder / "kafka" / "server.properties").open("a") as file:
                file.writelines(f"{name}={value}\n" for name, value in self._properties(broker.bootstrap).items())
            broker.restart()
            _add_scram_user(broker.bootstrap)
            yield broker
        finally:
            broker.kill()

    def options(self, listener: str, mechanism: str = "PLAIN") -> dict[str, Any]:
        """What KafkaSettings takes to use a listener."""
        protocol = _PROTOCOLS[listener]
        options = {"bootstrap_servers": f"{HOST}:{self._ports[listener]}", "security_protocol": protocol}
        if protocol.endswith("SSL"):
            options["tls_ca"] = str(self.ca)
        if listener == CERTIFICATE:
            return {**options, "tls_certificate": str(self._client)}
        return {**options, "sasl_mechanism": mechanism, "sasl_user": USER, "sasl_password": PASSWORD}

    def _properties(self, bootstrap: str) -> Mapping[str, str]:
        before = (self._folder / "kafka" / "server.properties").read_text().splitlines()
        listeners = next(line for line in before if line.startswith("listeners=")).removeprefix("listeners=")
        ours = ",".join(f"{name}://{HOST}:{port}" for name, port in self._ports.items())
        protocols = ",".join(f"{name}:{protocol}" for name, protocol in _PROTOCOLS.items())
        plain = f'{_JAAS.format(module="plain.Plain")} user_{USER}="{PASSWORD}";'
        scram = f"{_JAAS.format(module='scram.Scram')};"
        settings = {
            "listeners": f"{listeners},{ours}",
            "advertised.listeners": f"PLAINTEXT://{bootstrap},{ours}",
            "listener.security.protocol.map": f"PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,{protocols}",
            "sasl.enabled.mechanisms": f"PLAIN,{SCRAM}",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self._own),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.ca),
            f"listener.name.{CERTIFICATE.lower()}.ssl.client.auth": "required",
        }
        for listener in (SASL_TLS.lower(), SASL_CLEAR.lower()):
            settings[f"listener.name.{listener}.plain.sasl.jaas.config"] = plain
            settings[f"listener.name.{listener}.{SCRAM.lower()}.sasl.jaas.config"] = scram
        return settings


def _for_java(issued: trustme.LeafCert) -> bytes:
    """Key and certificates in one PEM file, the key in the one form that Java reads."""
    key = load_pem_private_key(issued.private_key_pem.bytes(), None)
    chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + chain


def _add_scram_user(bootstrap: str) -> None:
    command = [sys.executable, "-m", "compose.kafka", "run", "kafka-configs", "--bootstrap-server", bootstrap]
    command += [
        "--alter",
        "--entity-type",
        "users",
        "--entity-name",
        USER,
        "--add-config",
        f"{SCRAM}=[password={PASSWORD}]",
    ]
    subprocess.run(command, cwd=ROOT, check=True)
