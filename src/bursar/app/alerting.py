"""Wiring of limits and alerts: where a policy is read, and the ways that alerts leave by.

Errors: `BadChoice` for a secret that is nowhere.
"""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from bursar.app.words import secret
from bursar.bus.posting import Letter, Mail, Mailbox, Sealing, Webhook
from bursar.config import AlertSettings, PortfolioSettings
from bursar.events import Envelope
from bursar.events.outgoing import Alert
from bursar.policy import PolicyStore, of_file, of_service
from bursar.portfolio import Portfolio
from bursar.ports import Pause


class Way(Protocol):
    """How a letter leaves. It raises `BusDown` where it does not."""

    async def send(self, letter: Letter) -> None:
        """Send a letter, once."""
        ...


def policy_of(
    settings: PortfolioSettings, portfolio: Portfolio, pause: Pause
) -> PolicyStore | None:
    """Return what reads the policy that the settings name, if they name one."""
    path, url = settings.risk_limits_file, settings.risk_safety_service_url
    if path is not None:
        source, read = path.name, of_file(path)
    elif url is not None:
        source, read = url.partition("?")[0], of_service(url, pause)
    else:
        return None
    store, clock = portfolio.desk.store, portfolio.desk.clock
    return PolicyStore(source, read, store, clock, every_s=settings.risk_refresh_seconds)


def ways_of(settings: AlertSettings) -> Mapping[str, Way]:
    """Return the ways that alerts leave by."""
    found: dict[str, Way] = {}
    if settings.webhook_url is not None:
        word = settings.webhook_secret
        found["webhook"] = Webhook(settings.webhook_url, None if word is None else secret(word))
    if settings.mail_host is not None:
        found["mail"] = Mail(_mailbox(settings, settings.mail_host))
    return found


def letter_of(event: Envelope) -> Letter:
    """Return what a webhook and an e-mail tell of an event `portfolio.alert`."""
    told = _ALERT.decode(event.data)
    kind = told.kind.replace("_", " ")
    fields = {
        "id": event.id,
        "type": event.type,
        "source": event.source,
        "portfolio": event.portfolio,
        "time": told.timestamp,
        "data": msgspec.Raw(event.data.encode()),
    }
    return Letter(
        id=event.id,
        at=event.time,
        subject=f"bursar {event.portfolio}: {kind}, {told.subject}",
        text=f"{told.message}\n\n{told.timestamp}, portfolio {event.portfolio}\n",
        data=msgspec.Raw(msgspec.json.encode(fields)),
    )


def _mailbox(settings: AlertSettings, host: str) -> Mailbox:
    assert settings.mail_from is not None, "the settings look after that"
    word = settings.mail_password
    return Mailbox(
        host=host,
        port=settings.mail_port,
        sealing=Sealing(settings.mail_sealing.value),
        sender=settings.mail_from,
        to=settings.mail_to,
        user=settings.mail_user,
        password=None if word is None else secret(word),
    )


_ALERT = msgspec.json.Decoder(Alert)
