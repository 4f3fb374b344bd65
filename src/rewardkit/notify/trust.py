"""Whom a connection over TLS believes."""

from __future__ import annotations

import ssl

from rewardkit.errors import ValidationError


def trust(given: ssl.SSLContext | None) -> ssl.SSLContext:
    """The given one, or the system's: both verify certificate and host name, from TLS 1.2 on.

    Raises:
        ValidationError: the given one does not.
    """
    if given is None:
        return ssl.create_default_context()
    if given.verify_mode is not ssl.CERT_REQUIRED or not given.check_hostname:
        raise ValidationError("`tls` must verify certificates and host names: `ssl.create_default_context(cafile=…)`")
    if given.minimum_version < ssl.TLSVersion.TLSv1_2:
        raise ValidationError("`tls` must not go below TLS 1.2, as `ssl.create_default_context()` does not")
    return given
