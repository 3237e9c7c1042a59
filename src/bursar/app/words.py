"""Secrets: read from where their names say they are, and handed on at once.

Errors: `BadChoice` for one that is nowhere, and where there is no keyring, or a closed one.
"""

import os

from bursar.config import SecretName
from bursar.errors import BadChoice

_KEYRING = "bursar"


def secret(name: SecretName) -> str:
    """Return a secret from where its name says it is.

    Raises:
        BadChoice: there is none; the message names the place.
    """
    if name.env is not None:
        found = os.environ.get(name.env, "")
        where = f"the environment variable {name.env}"
    else:
        found = _from_keyring(name.keyring or "")
        where = f"the entry {name.keyring} of {_KEYRING} in the keyring"
    if not found.strip():
        raise BadChoice(f"{where} holds no key", field=name.env or name.keyring)
    return found


def _from_keyring(entry: str) -> str:
    try:
        import keyring  # noqa: PLC0415 (an extra: pip install bursar[keyring])
        from keyring.errors import KeyringError  # noqa: PLC0415
    except ImportError:
        raise BadChoice("keys in a keyring need `pip install 'bursar[keyring]'`") from None
    try:
        found = keyring.get_password(_KEYRING, entry)
    except KeyringError as error:
        raise BadChoice(
            f"the system's keyring cannot be asked for {entry} ({type(error).__name__}):"
            " open it, or name an environment variable instead",
            field=entry,
        ) from None
    return found if isinstance(found, str) else ""
