"""A served portfolio is held against limits; alerts leave by webhook and mail, and none is lost."""

import asyncio
import hashlib
import hmac
import json
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from email import message_from_string
from types import SimpleNamespace

import httpx2
import msgspec
import pytest

import bursar
from bursar.app import SystemClock
from bursar.bus.posting import Letter, Mail, Mailbox, Sealing, Webhook
from bursar.config import PortfolioSettings, Settings
from bursar.errors import BursarError, BusDown, Malformed
from bursar.ledger import instant
from bursar.ledger.golden import read
from bursar.measure.limits import Freshness
from bursar.portfolio import agreement
from bursar.portfolio.events import saying, watching
from bursar.reconcile import Statement
from bursar.reconcile.alarm import Alarm, encode
from bursar.serve import watching as serve_watching
from bursar.serve.opening import open_book
from bursar.serve.service import Service
from bursar.serve.watching import EVERY_MS, Watcher
from tests.servers.loopback import post, web

HERE = "http://127.0.0.1:8004"
LIMITS = b'{"drawdown_pct_max": 5, "gross_exposure_pct_max": 200}'


class Moved(SystemClock):
    """The machine's clock, with time that passes when it is told to."""

    ahead = 0

    def now(self):
        return super().now() + self.ahead


@dataclass
class Pauses:
    """Waits between two looks end when the test says so; all others end at once and are noted."""

    looks: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    looked: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    others: list[int] = field(default_factory=list)

    async def __call__(self, milliseconds):
        if milliseconds == EVERY_MS:
            self.looked.release()
            await self.looks.acquire()
        else:
            self.others.append(milliseconds)
            await asyncio.sleep(0)

    async def look(self):
        self.looks.release()
        await self.looked.acquire()


async def until(holds):
    """Wait; the test's own time limit ends what never comes."""
    while True:
        if holds():
            return
        await asyncio.sleep(0)


def settings_of(place, **others):
    return Settings(portfolio=PortfolioSettings(book=str(place), **others))


@asynccontextmanager
async def watched(settings, clock=None):
    """A watcher at work on a book of which a snapshot was kept; it has looked once."""
    book, pauses = open_book(settings, clock or Moved()), Pauses()
    book.service.create_snapshot()
    watcher = Watcher(settings, pause=pauses)
    running = asyncio.create_task(watcher.run(book))
    await pauses.looked.acquire()
    try:
        yield book.service.portfolio, watcher, pauses
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await book.close()


def fall(portfolio, amount, number=1):
    """Let equity fall, now."""
    at = instant.show(portfolio.desk.clock.now())
    portfolio.record(*read([f"{at} withdrawal {amount} USD #m:fall{number}"]))


def told(portfolio, kind):
    """What waits to be told on the bus, of a kind."""
    waiting = saying.waiting(portfolio.desk.store).values()
    return [json.loads(each.data) for each in waiting if each.type == kind]


def test_a_breach_is_told_once_and_again_when_it_changes_by_a_tenth_or_after_an_hour(place):
    clock = Moved()

    async def main():
        async with web((200, LIMITS)) as service:
            settings = settings_of(place, risk_safety_service_url=service.url)
            async with watched(settings, clock) as (portfolio, _, pauses):
                assert told(portfolio, "portfolio.limit") == []
                fall(portfolio, 11898)  # of 118987: 9.999 %
                await pauses.look()
                await pauses.look()
                (state,) = told(portfolio, "portfolio.limit")
                assert (state["limit"], state["signal"], state["bound"]) == (
                    "drawdown_pct",
                    "breached",
                    5,
                )
                assert state["value"] == pytest.approx(9.9994, abs=0.001)
                assert (state["source"], state["is_stale"]) == (service.url, False)
                fall(portfolio, 500, 2)  # 0.42 %: not a tenth of 9.999
                await pauses.look()
                assert len(told(portfolio, "portfolio.alert")) == 1
                fall(portfolio, 1000, 3)
                await pauses.look()
                assert len(told(portfolio, "portfolio.alert")) == 2
                clock.ahead += 3_600 * instant.SECOND
                await pauses.look()
                assert len(told(portfolio, "portfolio.alert")) == 3
                at = instant.show(portfolio.desk.clock.now())
                portfolio.record(*read([f"{at} deposit 20000 USD #m:back"]))
                await pauses.look()
                signals = [each["signal"] for each in told(portfolio, "portfolio.limit")]
                assert signals == ["breached"] * 3 + ["cleared"]

    asyncio.run(main())


def test_limits_that_cannot_be_read_clear_nothing(place):
    clock = Moved()

    async def main():
        async with web((200, LIMITS)) as service:
            settings = settings_of(place, risk_safety_service_url=service.url)
            async with watched(settings, clock) as (portfolio, watcher, pauses):
                fall(portfolio, 11898)
                await pauses.look()
                service.answers[:] = [(500, b"")]
                clock.ahead += 61 * instant.SECOND
                at = instant.show(portfolio.desk.clock.now())
                portfolio.record(*read([f"{at} deposit 11898 USD #m:back"]))
                await pauses.look()
                assert watcher.policy.freshness.value == "stale"
                assert [e["signal"] for e in told(portfolio, "portfolio.limit")] == ["breached"]
                service.answers[:] = [(200, LIMITS)]
                clock.ahead += 61 * instant.SECOND
                await pauses.look()
                assert watcher.policy.freshness.value == "fresh"
                signals = [each["signal"] for each in told(portfolio, "portfolio.limit")]
                assert signals == ["breached", "cleared"]

    asyncio.run(main())


def test_alerts_leave_signed_and_by_mail_and_again_until_they_are_taken(place, monkeypatch):
    monkeypatch.setenv("HOOK_SECRET", "a word between us")
    limits = place.parent / "limits.yaml"
    limits.write_bytes(LIMITS)

    async def main():
        async with web((500, b""), (503, b""), (204, b"")) as hook, post(refuses=1) as server:
            alerts = {
                "webhook_url": f"{hook.url}/in",
                "webhook_secret": {"env": "HOOK_SECRET"},
                "mail_host": "127.0.0.1",
                "mail_port": server.port,
                "mail_sealing": "none",
                "mail_from": "bursar@book.example",
                "mail_to": ["a@desk.example", "b@desk.example"],
            }
            settings = settings_of(place, risk_limits_file=limits, alerts=alerts)
            async with watched(settings) as (portfolio, watcher, pauses):
                fall(portfolio, 11898)
                await pauses.look()
                for _ in range(3):
                    await hook.heard.acquire()
                await server.heard.acquire()
                await until(lambda: not portfolio.desk.store.memos("alert "))
                await until(lambda: not watcher.shut)
                assert sorted(pauses.others) == [1_000, 1_000, 2_000]
            return hook.asked, server.letters

    asked, letters = asyncio.run(main())
    bodies = {body for *_, body in asked}
    assert len(asked) == 3
    (body,) = bodies  # the same alert, each time
    line, headers, _ = asked[0]
    assert line == "POST /in HTTP/1.1"
    signed = hmac.new(b"a word between us", body, hashlib.sha256).hexdigest()
    assert headers["x-bursar-signature"] == f"sha256={signed}"
    event = json.loads(body)
    assert headers["x-bursar-id"] == event["id"]
    assert (event["type"], event["data"]["kind"]) == ("portfolio.alert", "drawdown")
    assert event["data"]["bound"] == 5
    ((sender, to, text),) = letters
    assert (sender, to) == ("bursar@book.example", ["a@desk.example", "b@desk.example"])
    letter = message_from_string(text)
    assert letter["Subject"] == "bursar main: drawdown, drawdown_pct"
    assert "drawdown_pct: 9.99" in letter.get_payload()
    assert "(at most 5)" in letter.get_payload()


def test_an_alert_that_did_not_leave_leaves_after_a_restart(place):
    limits = place.parent / "limits.yaml"
    limits.write_bytes(LIMITS)

    async def main():
        async with web((500, b"")) as hook:
            settings = settings_of(place, risk_limits_file=limits, alerts={"webhook_url": hook.url})
            async with watched(settings) as (portfolio, watcher, pauses):
                fall(portfolio, 11898)
                await pauses.look()
                await hook.heard.acquire()
                await until(lambda: watcher.shut)
                assert watcher.shut == {"webhook": "the webhook answered HTTP 500"}
                (first,) = portfolio.desk.store.memos("alert webhook ")
            hook.answers[:] = [(200, b"")]
            hook.asked.clear()
            hook.heard = asyncio.Semaphore(0)
            async with watched(settings) as (portfolio, _, pauses):
                await hook.heard.acquire()
                await until(lambda: not portfolio.desk.store.memos("alert webhook "))
                await pauses.look()
                assert len(hook.asked) == 1
                assert first.split()[-1] in json.loads(hook.asked[0][2])["id"]

    asyncio.run(main())


def test_an_alert_of_a_service_that_was_killed_leaves_by_the_other(place, monkeypatch):
    monkeypatch.setattr(serve_watching, "OTHERS_S", 0.01)
    found = watching.Concern(kind="drift", subject="kraken:main", message="off")

    async def main():
        async with web((200, b"")) as hook:
            settings = settings_of(place, alerts={"webhook_url": hook.url})
            async with watched(settings) as (portfolio, _, _pauses):
                with bursar.open(place) as other:  # it finds this, and is no more
                    now = other.desk.clock.now()
                    assert watching.raise_alerts(other, [found], ways=("webhook",), now=now) == 1
                await hook.heard.acquire()
                await until(lambda: not portfolio.desk.store.memos("alert webhook "))
                assert len(hook.asked) == 1

    asyncio.run(main())


def test_a_served_portfolio_shows_its_policy_its_breaches_and_what_it_lacks(place):
    limits = place.parent / "limits.json"
    limits.write_text('{"symbol_exposure_pct_max": 6, "daily_loss_max": 0.1}')

    async def main():
        service = Service(settings_of(place, risk_limits_file=limits))
        await service.start()
        transport = httpx2.ASGITransport(app=service, client=("127.0.0.1", 1))
        async with httpx2.AsyncClient(transport=transport, base_url=HERE) as asking:
            await until(lambda: service.watcher.policy.freshness is not Freshness.NONE)
            risk = (await asking.get("/api/portfolio/risk")).json()
            assert (risk["policy"]["freshness"], risk["policy"]["source"]) == (
                "fresh",
                "limits.json",
            )
            found = [(e["limit"], e["subject"], e["verdict"]) for e in risk["breaches"]]
            assert found == [
                ("symbol_exposure_pct", "XBT", "breached"),
                ("daily_loss", "", "unknown"),
            ]
            health = (await asking.get("/health")).json()
            assert health["components"]["policy"]["status"] == "ok"
        assert await service.stop()

    asyncio.run(main())


def test_a_sync_long_ago_is_an_alert_once_an_hour(place):
    clock = Moved()
    book = open_book(settings_of(place), clock)
    portfolio, begun = book.service.portfolio, clock.now()

    def late():
        return watching.stale_syncs(portfolio, ["kraken:main"], since=begun, after_s=900)

    def raised():
        return watching.raise_alerts(portfolio, late(), ways=(), now=clock.now())

    assert late() == []
    clock.ahead += 901 * instant.SECOND
    assert [each.kind for each in late()] == ["stale_sync"]
    assert (raised(), raised()) == (1, 0)
    clock.ahead += 3_601 * instant.SECOND
    assert (raised(), raised()) == (1, 0)
    alerts = told(portfolio, "portfolio.alert")
    assert "nothing was ever heard of it" in alerts[0]["message"]
    asyncio.run(book.close())


def test_what_is_found_after_a_clock_was_set_back_is_told(place):
    clock = Moved()
    clock.ahead = 86_400 * instant.SECOND
    book = open_book(settings_of(place), clock)
    portfolio = book.service.portfolio
    found = watching.Concern(kind="daily_loss", subject="daily_loss", message="", value=Decimal(90))

    def raised(*found):
        return watching.raise_alerts(portfolio, found, ways=(), now=clock.now())

    assert (raised(found), raised(found), raised()) == (1, 0, 0)
    clock.ahead = 0
    assert (raised(found), raised(found)) == (1, 0)
    asyncio.run(book.close())


def test_a_service_that_was_not_there_for_a_night_has_time_for_its_first_sync(place):
    clock = Moved()
    book = open_book(settings_of(place), clock)
    portfolio, begun = book.service.portfolio, clock.now()
    long_ago = begun - 8 * instant.HOUR
    agreement.remember(portfolio, Statement(account="kraken:main", as_of=long_ago, holdings=()))

    def late():
        return watching.stale_syncs(portfolio, ["kraken:main"], since=begun, after_s=900)

    clock.ahead += 890 * instant.SECOND
    assert late() == []
    clock.ahead += 20 * instant.SECOND
    (found,) = late()
    assert found.message == f"kraken:main: no sync has succeeded since {instant.show(long_ago)}"
    asyncio.run(book.close())


def test_a_service_that_wakes_with_a_suspended_machine_has_time_for_its_first_sync(place):
    clock = Moved()

    async def main():
        book, pauses = open_book(settings_of(place), clock), Pauses()
        portfolio = book.service.portfolio
        book.service.venues = (SimpleNamespace(account="kraken:main"),)
        now = clock.now()
        agreement.remember(portfolio, Statement(account="kraken:main", as_of=now, holdings=()))
        running = asyncio.create_task(Watcher(settings_of(place), pause=pauses).run(book))
        await pauses.looked.acquire()

        async def kinds_after(seconds):
            clock.ahead += seconds * instant.SECOND
            await pauses.look()
            return [each["kind"] for each in told(portfolio, "portfolio.alert")]

        assert await kinds_after(8 * 3600) == []  # asleep
        for _ in range(17):
            assert await kinds_after(50) == []
        assert await kinds_after(55) == ["stale_sync"]
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await book.close()

    asyncio.run(main())


def test_a_drift_is_an_alert_whenever_its_alarm_tells_of_it(place):
    clock = Moved()
    book = open_book(settings_of(place), clock)
    portfolio = book.service.portfolio

    def sounds(alarm):
        portfolio.desk.store.save_memos({"alarm kraken:main": encode(alarm)})
        return watching.raise_alerts(portfolio, (), ways=("mail",), now=clock.now())

    assert sounds(Alarm(since=1, cycles=1)) == 0  # flagged, and not yet told
    alarm = Alarm(since=1, cycles=2, told_at=7, told=Decimal("12.5"), told_unpriced=("ABC",))
    assert (sounds(alarm), sounds(alarm)) == (1, 0)
    assert sounds(Alarm(since=1, cycles=9, told_at=8, told=Decimal(20))) == 1
    assert [each["message"] for each in told(portfolio, "portfolio.alert")] == [
        "kraken:main: books and venue differ by 12.5 and by ABC, which has no price",
        "kraken:main: books and venue differ by 20",
    ]
    assert len(watching.waiting(portfolio.desk.store, "mail")) == 2
    asyncio.run(book.close())


@pytest.mark.parametrize(
    "alerts,said",
    [
        ({"mail_host": "h"}, "a mail_from and a mail_to where"),
        ({"mail_user": "u"}, "or neither"),
        (
            {"mail_user": "u", "mail_password": {"env": "P"}, "mail_sealing": "none"},
            "starttls or tls where",
        ),
    ],
)
def test_alerts_that_could_not_leave_are_refused(alerts, said):
    with pytest.raises(ValueError, match=said):
        PortfolioSettings(alerts=alerts)


def test_two_sources_of_limits_are_refused(tmp_path):
    with pytest.raises(ValueError, match="a risk_limits_file or a risk_safety_service_url"):
        PortfolioSettings(risk_limits_file=tmp_path, risk_safety_service_url="http://risk:8003")


def test_a_file_of_limits_that_is_none_keeps_the_service_from_starting(place, tmp_path):
    limits = tmp_path / "limits.yaml"
    settings = settings_of(place, risk_limits_file=limits)
    with pytest.raises(Malformed, match=r"limits\.yaml cannot be read"):
        open_book(settings)
    limits.write_text("drawdown: 5\n")
    with pytest.raises(BursarError, match=r"limits\.yaml, line 1: there is no limit drawdown"):
        open_book(settings)


def test_a_webhook_that_is_not_there_says_so_and_not_its_address():
    letter = Letter(id="1", at=0, subject="s", text="t", data=msgspec.Raw(b"{}"))

    async def main():
        async with web((200, b"")) as hook:
            url = f"{hook.url}/secret-path"
        with pytest.raises(BusDown) as caught:
            await Webhook(url, None).send(letter)
        assert caught.value.message == "the webhook was not reached (ConnectError)"
        assert "secret" not in repr(Webhook(url, "secret"))

    asyncio.run(main())


@pytest.mark.parametrize("sealing", [Sealing.STARTTLS, Sealing.TLS])
def test_no_letter_and_no_password_goes_where_the_line_is_not_sealed(sealing):
    letter = Letter(id="1", at=0, subject="s", text="t", data=msgspec.Raw(b"{}"))

    async def main():
        async with post() as server:
            box = Mailbox(
                host="127.0.0.1",
                port=server.port,
                sealing=sealing,
                sender="a@b.example",
                to=("c@d.example",),
                user="u",
                password="hush-hush",
            )
            assert "hush" not in repr(box)
            with pytest.raises(BusDown, match=r"127\.0\.0\.1 took no e-mail \(") as caught:
                await Mail(box).send(letter)
            assert "hush" not in str(caught.value)
            assert server.letters == []
            assert not any("AUTH" in line.upper() for line in server.lines)

    asyncio.run(main())
