"""How a client reaches the cluster: the arguments that every aiokafka client takes."""

import ssl
from typing import Any

from services.kit.groups import KafkaSettings


def client_arguments(settings: KafkaSettings) -> dict[str, Any]:
    """Address, security and sign-in, for a producer, a consumer or an admin client."""
    arguments: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_brokers,
        "security_protocol": settings.kafka_security,
    }
    if settings.kafka_security.endswith("SSL"):
        arguments["ssl_context"] = _ssl_context(settings)
    if settings.kafka_security.startswith("SASL_"):
        password = settings.kafka_password
        arguments |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_username,
            "sasl_plain_password": password.get_secret_value() if password else None,
        }
    return arguments


def _ssl_context(settings: KafkaSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.kafka_ca_file)
    if settings.kafka_cert_file and settings.kafka_key_file:
        password = settings.kafka_key_password
        context.load_cert_chain(
            settings.kafka_cert_file,
            settings.kafka_key_file,
            password=password.get_secret_value() if password else None,
        )
    return context
