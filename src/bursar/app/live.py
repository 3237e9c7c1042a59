"""Wiring of what lives: a portfolio with the venues it follows, as the settings say.

Secrets are read here, from where their names say they are, and handed on at once.

Errors: `BadChoice` for a secret that is nowhere, and what opening a portfolio raises.
"""

import asyncio
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import SystemRandom
from types import MappingProxyType

import msgspec

from bursar.app import SystemClock, options_of, portfolio_of, terms_of
from bursar.app.keeping import stored
from bursar.app.limits import rules_of
from bursar.app.measuring import measuring_of
from bursar.app.words import secret
from bursar.config import PortfolioSettings, Settings, TagRule, VenueSettings
from bursar.errors import BadChoice, InputError, VenueBusy, VenueDenied, VenueDown, VenueGarbled
from bursar.ledger import instant
from bursar.ledger.terms import Terms
from bursar.portfolio.service import PortfolioService
from bursar.ports import Progress
from bursar.value.holdings import priced
from bursar.venue.alpaca.account import AlpacaAccount
from bursar.venue.alpaca.client import AlpacaRESTClient
from bursar.venue.alpaca.history import Options as AlpacaOptions
from bursar.venue.alpaca.keys import Keys as AlpacaKeys
from bursar.venue.binance.account import BinanceAccount
from bursar.venue.binance.client import BinanceRESTClient
from bursar.venue.binance.history import Options as BinanceOptions
from bursar.venue.binance.keys import Keys as BinanceKeys
from bursar.venue.binance.lists import BEGAN
from bursar.venue.binance.stream import UserStream
from bursar.venue.http import Outside
from bursar.venue.keycheck import KeyCheck
from bursar.venue.kraken.account import KrakenAccount
from bursar.venue.kraken.client import KrakenRESTClient
from bursar.venue.kraken.history import Options
from bursar.venue.kraken.news import AccountNews
from bursar.venue.kraken.pace import Tier
from bursar.venue.kraken.signing import Keys
from bursar.venue.kraken.stream import PriceStream
from bursar.venue.kraken.tags import TagRules
from bursar.venue.polling import PricePolls
from bursar.venue.region import profile

_Keyed = tuple[VenueSettings, Keys | AlpacaKeys | BinanceKeys]
Account = KrakenAccount | AlpacaAccount | BinanceAccount
Stream = PriceStream | PricePolls
News = AccountNews | UserStream


class Live(msgspec.Struct, frozen=True):
    """A service and the connections under it. It belongs to one event loop; `close` it there."""

    service: PortfolioService
    accounts: tuple[Account, ...]
    places: Mapping[str, VenueSettings] = MappingProxyType({})

    async def priced_pairs(self, account: Account) -> list[str]:
        """Return what lies in an account, or is leveraged there, with the base currency, by name:
        at Kraken, what it has open. What lies in no account of a venue is the first one's to price.
        """
        portfolio, names = self.service.portfolio, {each.account for each in self.accounts}
        mine = {account.account} | ({""} if account is self.accounts[0] else set())
        places = priced(portfolio.book())
        lies = {(place if place in names else "", asset) for place, asset in places}
        held = sorted({asset for place, asset in lies if place in mine})
        if not isinstance(account, KrakenAccount):
            return [f"{asset}/{portfolio.terms.base}" for asset in held]
        markets = account.data.markets
        found = [await markets.between(asset, portfolio.terms.base) for asset in held]
        return [str(market.pair) for market in found if market is not None]

    def stream(self, account: Account) -> Stream:
        """Return live prices of an account's venue, not yet running."""
        outside = account.client.outside
        if not isinstance(account, KrakenAccount):
            base = self.service.portfolio.terms.base
            return PricePolls(account.market.marks, outside, quote=base)
        return PriceStream(account.data, outside, url=self.places[account.account].stream_url)

    def news(self, account: Account) -> News | None:
        """Return word of what happens in an account, not yet running, where its venue gives it."""
        match account:
            case KrakenAccount():
                return AccountNews(account.client, url=self.places[account.account].news_url)
            case BinanceAccount():
                return account.doings
            case AlpacaAccount():
                return None

    async def check_keys(self, *, allow_trade: bool = False) -> list[str]:
        """Refuse keys that may do more than look; return what they do not see.

        Raises:
            VenueDenied: naming what a key may do, or lacks. A venue that is away refuses nothing:
                the sync that follows will say so.
        """
        remarks: list[str] = []
        for account in self.accounts:
            try:
                check = await account.check_key()
            except (VenueDown, VenueBusy, VenueGarbled):
                continue
            _require_looking(account.account, check, allow_trade=allow_trade)
            remarks += [f"{account.account}: {said}" for said in _remarks(check)]
        return remarks

    def notices(self) -> list[str]:
        """Return what the venues had to say beside their answers, each once."""
        told = [
            f"{account.account}: {notice.endpoint}: {notice.text}"
            for account in self.accounts
            for notice in account.client.notices
        ]
        return list(dict.fromkeys(told))

    async def close(self) -> None:
        """Close the connections and the store."""
        for account in self.accounts:
            await account.client.close()
        self.service.close()


def open_live(
    settings: Settings,
    *,
    clock: SystemClock | None = None,
    progress: Progress | None = None,
    allow_breaks: bool = False,
) -> Live:
    """Open a portfolio and the venues it follows; one that is not there is made.

    With `allow_breaks` a venue's own rows need not follow from each other; `get_drift` says where.

    Raises:
        BadChoice: there is no venue, a key is nowhere, or the base currency is another.
    """
    if not settings.venues:
        raise BadChoice("the settings name no venue; `bursar init` writes a config.yaml with one")
    here = clock or SystemClock()
    keyed = [(each, _keys(each)) for each in settings.venues]
    own = settings.portfolio
    store = stored(own)
    portfolio = portfolio_of(store, here, options=options_of(own), progress=progress)
    try:
        _require_same(portfolio.terms, own)
        portfolio.measuring = measuring_of(own)
        shorts = frozenset(each.name for each in portfolio.terms.accounts if each.may_short)
        accounts = tuple(
            _account(each, here, shorts=shorts, allow_breaks=allow_breaks) for each in keyed
        )
    except InputError:
        portfolio.close()
        raise
    return Live(
        PortfolioService(portfolio, accounts, rules_of(own, portfolio.terms.base)),
        accounts,
        {each.account: each for each in settings.venues},
    )


def _require_same(kept: Terms, own: PortfolioSettings) -> None:
    """Refuse settings that say otherwise than the book, instead of passing over them."""
    asked, said = msgspec.structs.replace(terms_of(own), base=kept.base), own.model_fields_set
    if "cost_basis_method" in said and kept.method is not asked.method:
        raise BadChoice(
            f"the book takes costs by {kept.method.value}, the settings say {asked.method.value}: a"
            " book keeps its rule; `bursar pnl --method` shows the others",
            stored=kept.method.value,
            asked=asked.method.value,
        )
    if "pegs" in said and kept.cash != asked.cash:
        raise BadChoice(
            f"the book counts {', '.join(sorted(kept.cash))} as money, the settings"
            f" {', '.join(sorted(asked.cash))}; a book keeps its pegs"
        )


def _require_looking(account: str, check: KeyCheck, *, allow_trade: bool) -> None:
    if check.missing:
        raise VenueDenied(f"{account}: the key lacks the right to {', '.join(check.missing)}")
    if check.excess and not allow_trade:
        raise VenueDenied(
            f"{account}: the key may also {', '.join(check.excess)}; bursar only looks, so make a"
            " key that can do no more, or say --allow-trade"
        )


def _remarks(check: KeyCheck) -> Iterator[str]:
    if check.remark is not None:
        yield check.remark
    for bound, word in ((check.sees_from, "before"), (check.sees_to, "after")):
        if bound is not None:
            yield f"the key sees nothing {word} {instant.show(bound)}: not all of the history"


def state_folder() -> Path:
    """Return the folder of what is the user's and not a book's: the nonces of API keys."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "bursar"


def _keys(settings: VenueSettings) -> Keys | AlpacaKeys | BinanceKeys:
    try:
        said = secret(settings.key), secret(settings.secret)
    except BadChoice as error:
        hint = "; an account that is not to be followed is left out of venues:"
        raise BadChoice(f"{settings.account}: {error.message}{hint}", **error.context) from None
    match settings.venue:
        case "alpaca":
            return AlpacaKeys(*said)
        case "binance":
            return BinanceKeys(*said)
        case _:
            return Keys(*said)


def outside_of(clock: SystemClock) -> Outside:
    """Return the world as venues' clients need it, on the time of a clock."""

    async def pause(milliseconds: int) -> None:
        await asyncio.sleep(milliseconds / 1000 / clock.pace)

    return Outside(clock=clock, chance=SystemRandom(), pause=pause)


def _account(
    keyed: _Keyed, clock: SystemClock, *, shorts: frozenset[str], allow_breaks: bool
) -> Account:
    (settings, keys), outside, name = keyed, outside_of(clock), keyed[0].account
    match keys:
        case AlpacaKeys():
            return AlpacaAccount(
                AlpacaRESTClient(outside, keys, url=settings.url, data_url=settings.data_url),
                AlpacaOptions(account=name, may_short=name in shorts),
            )
        case BinanceKeys():
            since = settings.since
            client = BinanceRESTClient(
                outside, keys, url=settings.url, futures_url=settings.futures_url
            )
            return BinanceAccount(
                client,
                BinanceOptions(
                    account=name,
                    since=BEGAN if since is None else instant.parse(since.isoformat()),
                ),
                doings=UserStream(
                    client, url=settings.stream_url, futures_url=settings.futures_stream_url
                ),
            )
        case Keys():
            return _kraken(settings, keys, outside, allow_breaks=allow_breaks)


def _kraken(
    settings: VenueSettings, keys: Keys, outside: Outside, *, allow_breaks: bool
) -> KrakenAccount:
    client = KrakenRESTClient(
        outside,
        keys,
        state=state_folder(),
        url=settings.url,
        tier=Tier[settings.tier.name],
    )
    options = Options(
        account=settings.account,
        region=profile(settings.region),
        rules=_rules(settings.tags),
        allow_breaks=allow_breaks,
    )
    return KrakenAccount(client, options)


def _rules(tags: tuple[TagRule, ...]) -> TagRules:
    named = [(each, each.strategy) for each in tags if each.strategy is not None]
    return TagRules(
        userrefs={each.userref: name for each, name in named if each.userref is not None},
        client_ids={each.client_id: name for each, name in named if each.client_id is not None},
        patterns=[each.pattern for each in tags if each.pattern is not None],
    )
