"""E-mail over TLS, from the start and after a word, to a mail server that others have written."""

import asyncio
import ssl
import warnings
from contextlib import asynccontextmanager
from email import message_from_bytes

import msgspec
import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult

from bursar.bus.posting import Letter, Mail, Mailbox, Sealing
from bursar.errors import BusDown

PASSWORD = "not to be told"
SEALED = [Sealing.TLS, Sealing.STARTTLS]
LETTER = Letter(
    id="a1",
    at=1_767_225_600 * 10**9,
    subject="bursar main: drift, kraken:main",
    text="100 USD are missing: – look.\n",
    data=msgspec.Raw(b"{}"),
)


class Box:
    """What the server was handed, by whom, and whether under seal."""

    def __init__(self):
        self.taken = []

    async def handle_DATA(self, _server, session, envelope):  # noqa: N802 (the library's name)
        self.taken.append((session, envelope))
        return "250 taken"


class Attending(SMTP):
    """One connection that says when it is over."""

    def __init__(self, *told, **named):
        self.is_over = asyncio.Event()
        super().__init__(*told, **named)

    def connection_lost(self, error):
        super().connection_lost(error)
        self.is_over.set()


def known(_server, _session, _envelope, _mechanism, told):
    is_right = (told.login, told.password) == (b"bursar", PASSWORD.encode())
    return AuthResult(success=is_right, handled=False)


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@asynccontextmanager
async def mail_server(authority, sealing, name="127.0.0.1"):
    """A mail server that takes letters only under seal, from who knows the password."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    box, is_sealed, attended = Box(), sealing is Sealing.TLS, []

    def attend():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # so it takes it for open
            made = Attending(
                box,
                hostname="mail.example",
                tls_context=None if is_sealed else context,
                require_starttls=not is_sealed,
                auth_required=True,
                auth_require_tls=not is_sealed,  # it does not see what is sealed from the start
                authenticator=known,
            )
        attended.append(made)
        return made

    loop = asyncio.get_running_loop()
    sealed = context if is_sealed else None
    async with await loop.create_server(attend, "127.0.0.1", 0, ssl=sealed) as server:
        try:
            yield box, server.sockets[0].getsockname()[1]
        finally:
            for each in attended:
                if each.transport is not None:  # one whose handshake failed has none
                    await each.is_over.wait()
            for _ in range(9):  # turns of the loop in which it closes its sockets
                await asyncio.sleep(0)


def sent(authority, sealing, *, name="127.0.0.1", password=PASSWORD):
    """Hand in the letter; return what the server took."""

    async def go():
        async with mail_server(authority, sealing, name) as (box, port):
            mailbox = Mailbox(
                host="127.0.0.1",
                port=port,
                sealing=sealing,
                sender="bursar@mail.example",
                to=("desk@mail.example", "night@mail.example"),
                user="bursar",
                password=password,
            )
            await Mail(mailbox).send(LETTER)
            return box.taken

    return asyncio.run(go())


@pytest.fixture
def trusted(authority, monkeypatch, tmp_path):
    """Trust the authority as the operator of a mail server of one's own would."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("sealing", SEALED)
def test_a_letter_goes_sealed_to_a_server_that_is_trusted(authority, sealing):
    ((session, envelope),) = sent(authority, sealing)
    assert session.authenticated
    assert sealing is Sealing.TLS or session.ssl is not None
    assert envelope.rcpt_tos == ["desk@mail.example", "night@mail.example"]
    told = message_from_bytes(envelope.content)
    assert (told["Subject"], told["X-Bursar-Id"]) == (LETTER.subject, "a1")
    body = told.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert body.decode().strip() == LETTER.text.strip()


@pytest.mark.parametrize("sealing", SEALED)
def test_nothing_goes_to_a_server_that_nobody_vouches_for(authority, sealing):
    with pytest.raises(BusDown, match=r"127\.0\.0\.1 took no e-mail \(SSLCertVerificationError\)"):
        sent(authority, sealing)


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("sealing", SEALED)
def test_nothing_goes_to_a_server_that_is_vouched_for_under_another_name(authority, sealing):
    with pytest.raises(BusDown, match="SSLCertVerificationError"):
        sent(authority, sealing, name="other.example")


@pytest.mark.usefixtures("trusted")
def test_a_password_that_is_refused_is_not_told(authority):
    with pytest.raises(BusDown, match="SMTPAuthenticationError") as refused:
        sent(authority, Sealing.STARTTLS, password="another")
    assert "another" not in repr(refused.value)
