"""Settings: of flags, the environment, `config.yaml` and defaults, the first that speaks counts.

The section `portfolio:` may also be told by the environment: `PORTFOLIO_BASE_CURRENCY`, and with
two underscores what lies deeper: `PORTFOLIO_VALUATION_PAIRS__BTC`. Numbers are read from their
text, so `0.1` is a tenth. A key that nobody knows is refused by name, wherever it stands, and told
beside the one that it most likely should have been.

No secret stands in a file: a venue's key is the name of an environment variable or of an entry in
the system's keyring.

Errors: `Malformed`, naming file, line and field, or the variable.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Final, Literal, get_args

import msgspec
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from bursar.capital.settings import CapitalSettings, read_settings
from bursar.config.filed import Tree, composed
from bursar.config.numbers import Amount, Whole
from bursar.config.words import form, nearest, place_of, said_of
from bursar.errors import BadChoice, Malformed
from bursar.ledger.terms import Method

PREFIX: Final = "PORTFOLIO_"
INITIAL_CAPITAL: Final = "INITIAL_CAPITAL"
_NESTED: Final = "__"
_STRICT: Final = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

_WORD: Final = TypeAdapter(bool)


class Tier(Enum):
    """Kraken's verification levels, which decide how fast an account may ask."""

    STARTER = "starter"
    INTERMEDIATE = "intermediate"
    PRO = "pro"


class EventFamily(Enum):
    """Which events state the facts of an account whose facts come from events."""

    TRADE = "trade"
    ORDER = "order"


class TradeStoreType(Enum):
    """Where open and closed trades are kept; `sqlite` is beside the book, wherever that is."""

    SQLITE = "sqlite"
    REDIS = "redis"
    POSTGRES = "postgres"


class SecretName(BaseModel):
    """Where a secret is: in an environment variable, or in the system's keyring."""

    model_config = _STRICT

    env: str | None = None
    keyring: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _named(cls, told: object) -> object:
        if isinstance(told, str):
            raise ValueError(  # noqa: TRY004 (what the library turns into its own error)
                "where it is, {env: NAME} or {keyring: NAME}, never the secret itself"
            )
        return told

    @model_validator(mode="after")
    def _one(self) -> "SecretName":
        if (self.env is None) is (self.keyring is None):
            raise ValueError("either an environment variable (env) or a keyring entry")
        return self


class TagRule(BaseModel):
    """Whose orders are a strategy's: those with a `userref` or a `client_id`, or those whose client
    id fits a `pattern`, a regular expression whose group `strategy` names it.
    """

    model_config = _STRICT

    userref: Whole | None = None
    client_id: str | None = None
    pattern: str | None = None
    strategy: str | None = None

    @model_validator(mode="after")
    def _one(self) -> "TagRule":
        ways = [each for each in (self.userref, self.client_id, self.pattern) if each is not None]
        if len(ways) != 1 or (self.pattern is None) is (self.strategy is None):
            raise ValueError(
                "a userref or a client_id with the strategy, or a pattern with a group named"
                " strategy"
            )
        return self


_KNOWS: Final[Mapping[str, frozenset[str]]] = {
    "kraken": frozenset({"region", "tier", "tags", "stream_url", "news_url"}),
    "alpaca": frozenset({"paper", "data_url"}),
    "binance": frozenset({"futures_url", "since", "stream_url", "futures_stream_url"}),
}
"""The settings that do not concern every venue."""


class VenueSettings(BaseModel):
    """One account at a venue. What is not said is as the venue has it; `_KNOWS` says what does not
    concern every venue.
    """

    model_config = _STRICT

    venue: Literal["kraken", "alpaca", "binance"] = "kraken"
    account: Annotated[
        str,
        form(
            r"(kraken|alpaca|binance):[a-z0-9_-]+",
            "venue:name in small letters, such as kraken:main",
        ),
    ] = "kraken:main"
    region: str = "US_CA"
    tier: Tier = Tier.STARTER
    paper: bool = False
    since: date | None = None
    key: SecretName = SecretName(env="KRAKEN_API_KEY")
    secret: SecretName = SecretName(env="KRAKEN_API_SECRET")
    url: str = "https://api.kraken.com"
    stream_url: str = "wss://ws.kraken.com/v2"
    news_url: str = "wss://ws-auth.kraken.com/v2"
    data_url: str = "https://data.alpaca.markets"
    futures_url: str = "https://fapi.binance.com"
    futures_stream_url: str = "wss://fstream.binance.com/private/ws"
    tags: tuple[TagRule, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _as_the_venue_has_it(cls, told: object) -> object:
        if not isinstance(told, dict):
            return told
        venue = told.get("venue", "kraken")
        if not isinstance(venue, str):
            return told
        others = (known for name, known in _KNOWS.items() if name != venue)
        alien = sorted((frozenset().union(*others) - _KNOWS.get(venue, frozenset())) & told.keys())
        if venue in _KNOWS and alien:
            raise ValueError(f"no {' and no '.join(alien)}: {venue.capitalize()} knows none")
        if venue not in {"alpaca", "binance"}:
            return told
        at = "paper-api" if venue == "alpaca" and _is_true(told.get("paper")) else "api"
        host = {"alpaca": "alpaca.markets", "binance": "binance.com"}[venue]
        return {
            "account": f"{venue}:main",
            "key": {"env": f"{venue.upper()}_API_KEY"},
            "secret": {"env": f"{venue.upper()}_API_SECRET"},
            "url": f"https://{at}.{host}",
            "stream_url": "wss://ws-api.binance.com:443/ws-api/v3",
            **told,
        }

    @model_validator(mode="after")
    def _of_one_venue(self) -> "VenueSettings":
        if self.account.partition(":")[0] != self.venue:
            raise ValueError(f"an account of {self.venue}, such as {self.venue}:main")
        return self


def _is_true(told: object) -> bool:
    """Read a word as the field will; what is none, the field refuses."""
    try:
        return _WORD.validate_python(told)
    except ValidationError:
        return False


class HttpSettings(BaseModel):
    """How the service is reached. `hosts` are names it is asked under besides those of loopback,
    `origins` the sites whose pages may ask, such as https://desk.example.
    """

    model_config = _STRICT

    host: str = "127.0.0.1"
    port: Annotated[Whole, Field(ge=0, le=65_535)] = 8004
    hosts: tuple[str, ...] = ()
    origins: tuple[
        Annotated[
            str, form(r"https?://[^/\s]+", "a site without a path, such as https://desk.example")
        ],
        ...,
    ] = ()
    publish_every_ms: Annotated[Whole, Field(ge=10)] = 250
    graphql_introspection: bool = True


class MailSealing(Enum):
    """How a connection to a mail server is encrypted: after a word, from the start, or not."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class AlertSettings(BaseModel):
    """Where alerts go besides the bus, and after how long without a sync there is one."""

    model_config = _STRICT

    stale_sync_seconds: Annotated[Whole, Field(ge=5)] = 900
    webhook_url: (
        Annotated[str, form(r"https?://[^\s/]+.*", "an address such as https://hooks.example/x")]
        | None
    ) = None
    webhook_secret: SecretName | None = None
    mail_host: str | None = None
    mail_port: Annotated[Whole, Field(ge=1, le=65_535)] = 587
    mail_sealing: MailSealing = MailSealing.STARTTLS
    mail_user: str | None = None
    mail_password: SecretName | None = None
    mail_from: Annotated[str, form(r"\S+@\S+", "an address such as me@mail.example")] | None = None
    mail_to: tuple[Annotated[str, form(r"\S+@\S+", "an address such as me@mail.example")], ...] = ()

    @model_validator(mode="after")
    def _fit(self) -> "AlertSettings":
        if self.mail_host is not None and (self.mail_from is None or not self.mail_to):
            raise ValueError("a mail_from and a mail_to where there is a mail_host")
        if (self.mail_user is None) is not (self.mail_password is None):
            raise ValueError("mail_user and mail_password, or neither")
        if self.mail_password is not None and self.mail_sealing is MailSealing.NONE:
            raise ValueError("mail_sealing starttls or tls where there is a mail_password")
        return self


class PortfolioSettings(BaseSettings):
    """The section `portfolio:`. Amounts are in base currency."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=_NESTED, extra="forbid", frozen=True
    )

    book: str = "bursar.db"
    name: str = "main"
    base_currency: Annotated[str, form(r"[A-Z0-9.]{1,16}", "a name in capitals, such as EUR")] = (
        "USD"
    )
    pegs: tuple[str, ...] | None = None
    valuation_pairs: dict[str, str] = {}
    include_assets: tuple[str, ...] = ()
    exclude_assets: tuple[str, ...] = ()
    cost_basis_method: Method = Method.WAC
    track_manual_trades: bool = True
    snapshot_retention_days: Annotated[Whole, Field(ge=1, le=36_500)] = 30
    snapshot_every_minutes: Annotated[Whole, Field(ge=1)] = 15
    timescale: bool = True
    sync_every_seconds: Annotated[Whole, Field(ge=5)] = 60
    reconciliation_tolerance: Amount = Decimal("1.0")
    reconciliation_tolerance_total: Amount | None = None
    external_activity_pct: Amount = Decimal(5)
    http: HttpSettings = HttpSettings()
    sectors_file: Path | None = None
    bucket_targets: dict[Literal["CORE", "EXPANSION", "MONITORING"], Amount] = {}
    risk_free_pct: Amount = Decimal(0)
    periods_per_year: Annotated[Whole, Field(ge=1, le=366)] = 365
    tax_year_start: Annotated[
        str, form(r"\d\d-\d\d", "month and day of every year, such as 04-06")
    ] = "01-01"
    long_after_days: Annotated[Whole, Field(ge=1, le=36_500)] = 365
    risk_limits_file: Path | None = None
    risk_safety_service_url: (
        Annotated[
            str,
            form(
                r"https?://[^\s/@]+[^\s@]*",
                "an address without a name or a password, such as http://risk.example",
            ),
        ]
        | None
    ) = None
    risk_refresh_seconds: Annotated[Whole, Field(ge=1)] = 60
    alerts: AlertSettings = AlertSettings()

    redis_host: str | None = None
    redis_port: Annotated[Whole, Field(ge=1, le=65_535)] = 6379
    redis_db: Annotated[Whole, Field(ge=0)] = 0
    redis_socket: str | None = None
    redis_tls: bool = False
    redis_user: str | None = None
    redis_password: SecretName | None = None
    redis_prefix: Annotated[
        str, form(r"[A-Za-z0-9_.-]{1,64}", "1 to 64 letters, digits, dots and dashes")
    ] = "bursar"
    event_topic: Annotated[
        str, form(r"[A-Za-z0-9_.-]{1,64}", "1 to 64 letters, digits, dots and dashes")
    ] = "in"
    event_accounts: dict[str, EventFamily] = {"events:main": EventFamily.TRADE}
    event_default_account: str | None = None
    event_reclaim_seconds: Annotated[Whole, Field(ge=1)] = 30
    event_inbox_days: Annotated[Whole, Field(ge=1, le=36_500)] = 30
    trade_store_type: TradeStoreType = TradeStoreType.SQLITE
    trade_store_place: str | None = None

    @model_validator(mode="after")
    def _fit(self) -> "PortfolioSettings":
        if self.risk_limits_file is not None and self.risk_safety_service_url is not None:
            raise ValueError("a risk_limits_file or a risk_safety_service_url, not both")
        has_redis = self.redis_host is not None or self.redis_socket is not None
        if self.trade_store_type is TradeStoreType.REDIS and not has_redis:
            raise ValueError("a redis_host or a redis_socket where trade_store_type is redis")
        place = self.trade_store_place or self.book
        is_postgres = place.startswith(("postgres://", "postgresql://"))
        if self.trade_store_type is TradeStoreType.POSTGRES and not is_postgres:
            raise ValueError(
                "a trade_store_place like postgresql://user@host/database, or a book there, where"
                " trade_store_type is postgres"
            )
        return self

    @field_validator("tax_year_start", mode="after")
    @classmethod
    def _of_every_year(cls, day: str) -> str:
        try:
            date.fromisoformat(f"2023-{day}")
        except ValueError:
            raise ValueError("month and day of every year, such as 04-06") from None
        return day

    @field_validator("valuation_pairs", mode="after")
    @classmethod
    def _spelled(cls, pairs: dict[str, str]) -> dict[str, str]:
        return {asset.upper(): pair for asset, pair in pairs.items()}  # variables have no case

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the library's signature)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the same)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Say who counts: flags over the environment over the file."""
        assert isinstance(init_settings, InitSettingsSource)
        told = dict(init_settings.init_kwargs)
        filed = told.pop(_FILE, {})
        assert isinstance(filed, Mapping)
        flags = InitSettingsSource(settings_cls, init_kwargs=told)
        return flags, env_settings, InitSettingsSource(settings_cls, init_kwargs=dict(filed))


def _capital(told: object) -> CapitalSettings:
    """Read the section `capital:`; INITIAL_CAPITAL in the environment counts before it.

    Who says it there wants it put in, unless the file says otherwise.
    """
    own = os.environ.get(INITIAL_CAPITAL)
    if own is not None and isinstance(told, dict):
        told = {"begin": True, **told, "initial": own}
    try:
        return read_settings(told)
    except BadChoice as error:
        raise ValueError(error.message) from error  # `place_of` asks it where


class Settings(BaseModel):
    """All settings."""

    model_config = _STRICT

    portfolio: PortfolioSettings
    capital: Annotated[CapitalSettings, PlainValidator(_capital)] = CapitalSettings()
    venues: tuple[VenueSettings, ...] = ()


_FILE: Final = "file"


def load(path: Path | None = None, *, flags: Mapping[str, object] | None = None) -> Settings:
    """Read the settings. Without a file the environment and the defaults speak; flags are of the
    section `portfolio`.

    Raises:
        Malformed: a key is unknown, or a value is not what it should be; nothing was taken over.
    """
    _require_known_variables(EnvSettingsSource(PortfolioSettings, case_sensitive=True).env_vars)
    tree = Tree(path, composed(path)) if path is not None else Tree(None, None)
    filed = tree.value()
    own = filed.pop("portfolio", None)
    if own is None:
        own = {}
    if not isinstance(own, dict):
        raise tree.told(("portfolio",), "expected keys with values under it")
    told: dict[str, object] = {**(flags or {}), _FILE: own}
    try:
        portfolio = PortfolioSettings(**told)  # type: ignore[arg-type]  # it looks at each
    except ValidationError as error:
        raise _fault(tree, error, ("portfolio",)) from None
    except SettingsError as error:
        name = _variable(("portfolio", str(error).split('"')[1])) or PREFIX
        raise Malformed(f"the variable {name}: expected JSON, such as '[\"DOT\"]'") from None
    try:
        return Settings.model_validate({"capital": {}, **filed, "portfolio": portfolio})
    except ValidationError as error:
        raise _fault(tree, error) from None


def _fault(tree: Tree, error: ValidationError, under: tuple[str, ...] = ()) -> Malformed:
    """Say which place of the file, or which variable, is wrong, and how."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = (*under, *(each for each in place_of(first) if each != _FILE))
    said = said_of(first, place, _every_key())
    name = _variable(place)
    if name is not None:
        return Malformed(f"the variable {name}: {said}", field=".".join(map(str, place)))
    return tree.told(place, said)


def _variable(place: tuple[int | str, ...]) -> str | None:
    """Return the variable of the environment that says what stands at a place, if one does."""
    if place == ("capital", "initial") and INITIAL_CAPITAL in os.environ:
        return INITIAL_CAPITAL
    if place[:1] != ("portfolio",):
        return None
    said = {name.upper(): name for name in os.environ}
    names = (
        PREFIX + _NESTED.join(map(str, place[1:to])).upper() for to in range(len(place), 1, -1)
    )
    return next((said[name] for name in names if name in said), None)


def _every_key() -> Iterator[tuple[str, ...]]:
    """Yield every key that a file may have, by the sections that it stands in."""
    yield from _keys(Settings)
    for name, kind in CapitalSettings.__annotations__.items():
        yield "capital", name
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            yield from (("capital", name, each) for each in kind.__struct_fields__)


def _keys(model: type[BaseModel]) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        yield (name,)
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from ((name, *below) for below in _keys(kind))


def _require_known_variables(variables: Iterable[str]) -> None:
    known = PortfolioSettings.model_fields
    for name in sorted(variables):
        if name.startswith(PREFIX) and name != PREFIX:
            field = name.removeprefix(PREFIX).lower().partition(_NESTED)[0]
            if field not in known:
                near = nearest(("", field), (("", each) for each in known))
                hint = f"; did you mean {PREFIX}{near.upper()}?" if near else ""
                raise Malformed(f"the environment variable {name} sets nothing{hint}", field=name)
