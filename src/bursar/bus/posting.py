"""Ways for an alert to leave: a webhook, and e-mail. Neither tries twice; whoever sends does.

A webhook is a POST of JSON. With a secret it is signed, so that who hears it knows who speaks:

    X-Bursar-Signature: sha256=HEX     HMAC-SHA256 of the body's bytes, with the secret
    X-Bursar-Id: …                     the alert's id: the same again is the same alert

E-mail goes over SMTP, in a thread of its own that no stop waits for.

Errors: `BusDown`; it holds neither a secret nor what was sent.
"""

import asyncio
import hashlib
import hmac
import smtplib
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from email.message import EmailMessage
from email.utils import formatdate
from enum import Enum
from typing import Final

import msgspec

from bursar.errors import BusDown
from bursar.ledger import instant

WITHIN_S: Final = 10


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What leaves: `data` is one JSON object, `subject` and `text` the same in words."""

    id: str
    at: int
    subject: str
    text: str
    data: msgspec.Raw


class Webhook:
    """Posts letters to one address."""

    def __init__(self, url: str, secret: str | None) -> None:
        self._url = url
        self._secret = secret

    def __repr__(self) -> str:
        return "Webhook()"

    async def send(self, letter: Letter) -> None:
        """Post a letter; any answer of 2xx is a yes.

        Raises:
            BusDown: it was not taken.
        """
        import httpx2  # noqa: PLC0415 (only who has a webhook waits for it to load)

        body = bytes(letter.data)
        headers = {
            "User-Agent": "bursar",
            "Content-Type": "application/json",
            "X-Bursar-Id": letter.id,
        }
        if self._secret is not None:
            signed = hmac.new(self._secret.encode(), body, hashlib.sha256).hexdigest()
            headers["X-Bursar-Signature"] = f"sha256={signed}"
        try:
            async with (
                httpx2.AsyncClient(timeout=WITHIN_S, trust_env=False) as client,
                client.stream("POST", self._url, content=body, headers=headers) as answer,
            ):
                status, is_taken = answer.status_code, answer.is_success
        except (httpx2.RequestError, httpx2.InvalidURL) as error:
            raise BusDown(f"the webhook was not reached ({type(error).__name__})") from None
        if not is_taken:
            raise BusDown(f"the webhook answered HTTP {status}", status=status)


class Sealing(Enum):
    """How a connection to a mail server is encrypted: after a word, from the start, or not."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class Mailbox(msgspec.Struct, frozen=True, kw_only=True):
    """Where e-mail is handed in, from whom, and to whom."""

    host: str
    port: int
    sealing: Sealing
    sender: str
    to: tuple[str, ...]
    user: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return f"Mailbox({self.host})"


class Mail:
    """Hands letters to a mail server."""

    def __init__(self, box: Mailbox) -> None:
        self._box = box

    async def send(self, letter: Letter) -> None:
        """Hand a letter in.

        Raises:
            BusDown: it was not taken, or not for everybody.
        """
        await _in_thread(lambda: _hand_in(self._box, letter))


def _hand_in(box: Mailbox, letter: Letter) -> None:
    made = EmailMessage()
    made["From"], made["To"] = box.sender, ", ".join(box.to)
    made["Subject"] = letter.subject
    made["Date"] = formatdate(letter.at // instant.SECOND)
    made["X-Bursar-Id"] = letter.id
    made.set_content(letter.text)
    try:
        with _connected(box) as server:
            if box.sealing is Sealing.STARTTLS:
                server.starttls(context=ssl.create_default_context())
            if box.user is not None and box.password is not None:
                server.login(box.user, box.password)
            refused = server.send_message(made)
    except (OSError, ValueError, smtplib.SMTPException) as error:
        # Not the library's words: a server may repeat what it was sent.
        raise BusDown(f"{box.host} took no e-mail ({type(error).__name__})") from None
    if refused:
        raise BusDown(f"{box.host} took no e-mail for {len(refused)} of {len(box.to)}")


def _connected(box: Mailbox) -> smtplib.SMTP:
    if box.sealing is Sealing.TLS:
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(box.host, box.port, timeout=WITHIN_S, context=context)
    return smtplib.SMTP(box.host, box.port, timeout=WITHIN_S)


async def _in_thread(work: Callable[[], None]) -> None:
    """Await work that blocks. The process may end while it goes on."""
    done: Future[None] = Future()

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 (it is the waiter's)
            outcome: BaseException | None = error
        else:
            outcome = None
        with suppress(Exception):  # nobody waits any more
            done.set_exception(outcome) if outcome else done.set_result(None)

    threading.Thread(target=run, name="bursar-mail", daemon=True).start()
    await asyncio.wrap_future(done)
