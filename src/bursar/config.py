"""Settings: of flags, the environment, `config.yaml` and defaults, the first that speaks counts.

The section `portfolio:` may also be told by the environment: `PORTFOLIO_BASE_CURRENCY`, and with
two underscores what lies deeper: `PORTFOLIO_VALUATION_PAIRS__BTC`. Numbers are read from their
text, so `0.1` is a tenth. A key that nobody knows is refused by name, wherever it stands.

No secret stands in a file: a venue's key is the name of an environment variable or of an entry in
the system's keyring.

Errors: `Malformed`, naming file, line and field, or the variable.
"""

import os
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from bursar.capital.settings import CapitalSettings, read_settings
from bursar.errors import BadChoice, Malformed

PREFIX: Final = "PORTFOLIO_"
INITIAL_CAPITAL: Final = "INITIAL_CAPITAL"
_NESTED: Final = "__"
_STRICT: Final = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

Amount = Annotated[Decimal, Field(ge=0, max_digits=38, allow_inf_nan=False)]


class CostBasis(Enum):
    """Which lots a sale takes its cost from."""

    WAC = "wac"
    FIFO = "fifo"
    LIFO = "lifo"
    HIFO = "hifo"
    SPECIFIC = "specific"


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

    userref: int | None = None
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

    venue: Annotated[str, Field(pattern="^(kraken|alpaca|binance)$")] = "kraken"
    account: Annotated[str, Field(pattern=r"^(kraken|alpaca|binance):[a-z0-9_-]+$")] = "kraken:main"
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
        others = (known for name, known in _KNOWS.items() if name != venue)
        alien = sorted((frozenset().union(*others) - _KNOWS.get(venue, frozenset())) & told.keys())
        if venue in _KNOWS and alien:
            raise ValueError(f"no {' and no '.join(alien)}: {venue.capitalize()} knows none")
        if venue not in {"alpaca", "binance"}:
            return told
        at = "api"
        if venue == "alpaca":
            at = "paper-api" if told.get("paper") in {True, "true"} else "api"
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


class HttpSettings(BaseModel):
    """How the service is reached. `hosts` are names it is asked under besides those of loopback,
    `origins` the sites whose pages may ask, such as https://desk.example.
    """

    model_config = _STRICT

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8004
    hosts: tuple[str, ...] = ()
    origins: tuple[Annotated[str, Field(pattern=r"^https?://[^/\s]+$")], ...] = ()
    publish_every_ms: Annotated[int, Field(ge=10)] = 250
    graphql_introspection: bool = True


class MailSealing(Enum):
    """How a connection to a mail server is encrypted: after a word, from the start, or not."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class AlertSettings(BaseModel):
    """Where alerts go besides the bus, and after how long without a sync there is one."""

    model_config = _STRICT

    stale_sync_seconds: Annotated[int, Field(ge=5)] = 900
    webhook_url: Annotated[str, Field(pattern=r"^https?://[^\s/]+")] | None = None
    webhook_secret: SecretName | None = None
    mail_host: str | None = None
    mail_port: Annotated[int, Field(ge=1, le=65_535)] = 587
    mail_sealing: MailSealing = MailSealing.STARTTLS
    mail_user: str | None = None
    mail_password: SecretName | None = None
    mail_from: Annotated[str, Field(pattern=r"^\S+@\S+$")] | None = None
    mail_to: tuple[Annotated[str, Field(pattern=r"^\S+@\S+$")], ...] = ()

    @model_validator(mode="after")
    def _fit(self) -> "AlertSettings":
        if self.mail_host is not None and (self.mail_from is None or not self.mail_to):
            raise ValueError("mail_host needs a mail_from and a mail_to")
        if (self.mail_user is None) is not (self.mail_password is None):
            raise ValueError("mail_user and mail_password go together")
        if self.mail_password is not None and self.mail_sealing is MailSealing.NONE:
            raise ValueError("a mail_password only goes where mail_sealing is starttls or tls")
        return self


class PortfolioSettings(BaseSettings):
    """The section `portfolio:`. Amounts are in base currency."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=_NESTED, extra="forbid", frozen=True
    )

    book: str = "bursar.db"
    name: str = "main"
    base_currency: Annotated[str, Field(pattern=r"^[A-Z0-9.]{1,16}$")] = "USD"
    pegs: tuple[str, ...] | None = None
    valuation_pairs: dict[str, str] = {}
    include_assets: tuple[str, ...] = ()
    exclude_assets: tuple[str, ...] = ()
    cost_basis_method: CostBasis = CostBasis.WAC
    track_manual_trades: bool = True
    snapshot_retention_days: Annotated[int, Field(ge=1)] = 30
    snapshot_every_minutes: Annotated[int, Field(ge=1)] = 15
    timescale: bool = True
    sync_every_seconds: Annotated[int, Field(ge=5)] = 60
    reconciliation_tolerance: Amount = Decimal("1.0")
    reconciliation_tolerance_total: Amount | None = None
    external_activity_pct: Amount = Decimal(5)
    http: HttpSettings = HttpSettings()
    sectors_file: Path | None = None
    bucket_targets: dict[Literal["CORE", "EXPANSION", "MONITORING"], Amount] = {}
    risk_free_pct: Amount = Decimal(0)
    periods_per_year: Annotated[int, Field(ge=1, le=366)] = 365
    tax_year_start: Annotated[str, Field(pattern=r"^\d\d-\d\d$")] = "01-01"
    long_after_days: Annotated[int, Field(ge=1, le=36_500)] = 365
    risk_limits_file: Path | None = None
    risk_safety_service_url: Annotated[str, Field(pattern=r"^https?://[^\s/@]+[^\s@]*$")] | None = (
        None
    )
    risk_refresh_seconds: Annotated[int, Field(ge=1)] = 60
    alerts: AlertSettings = AlertSettings()

    redis_host: str | None = None
    redis_port: Annotated[int, Field(ge=1, le=65_535)] = 6379
    redis_db: Annotated[int, Field(ge=0)] = 0
    redis_socket: str | None = None
    redis_tls: bool = False
    redis_user: str | None = None
    redis_password: SecretName | None = None
    redis_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] = "bursar"
    event_topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] = "in"
    event_accounts: dict[str, EventFamily] = {"events:main": EventFamily.TRADE}
    event_default_account: str | None = None
    event_reclaim_seconds: Annotated[int, Field(ge=1)] = 30
    event_inbox_days: Annotated[int, Field(ge=1)] = 30
    trade_store_type: TradeStoreType = TradeStoreType.SQLITE
    trade_store_place: str | None = None

    @model_validator(mode="after")
    def _fit(self) -> "PortfolioSettings":
        if self.risk_limits_file is not None and self.risk_safety_service_url is not None:
            raise ValueError("limits are of a risk_limits_file or of a risk_safety_service_url")
        has_redis = self.redis_host is not None or self.redis_socket is not None
        if self.trade_store_type is TradeStoreType.REDIS and not has_redis:
            raise ValueError("trade_store_type: redis needs a redis_host or a redis_socket")
        place = self.trade_store_place or self.book
        is_postgres = place.startswith(("postgres://", "postgresql://"))
        if self.trade_store_type is TradeStoreType.POSTGRES and not is_postgres:
            raise ValueError(
                "trade_store_type: postgres needs a trade_store_place like"
                " postgresql://user@host/database, or a book there"
            )
        return self

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
        raise ValueError(error.message) from None


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
    tree = _Tree(path, _composed(path)) if path is not None else _Tree(None, None)
    filed = tree.value()
    own = filed.pop("portfolio", None) or {}
    if not isinstance(own, dict):
        raise tree.told(("portfolio",), "keys with values under it")
    told: dict[str, object] = {**(flags or {}), _FILE: own}
    try:
        portfolio = PortfolioSettings(**told)  # type: ignore[arg-type]  # it looks at each
    except ValidationError as error:
        raise tree.fault(error, ("portfolio",)) from None
    try:
        return Settings.model_validate({"capital": {}, **filed, "portfolio": portfolio})
    except ValidationError as error:
        raise tree.fault(error) from None


def _require_known_variables(variables: Iterable[str]) -> None:
    known = PortfolioSettings.model_fields
    for name in sorted(variables):
        if name.startswith(PREFIX) and name != PREFIX:
            field = name.removeprefix(PREFIX).lower().partition(_NESTED)[0]
            if field not in known:
                raise Malformed(
                    f"the environment variable {name} sets nothing; there is"
                    f" {', '.join(PREFIX + each.upper() for each in known)}",
                    field=name,
                )


def _composed(path: Path) -> yaml.Node | None:
    try:
        return yaml.compose(path.read_text(encoding="utf-8"), Loader=_TextLoader)
    except (OSError, UnicodeError) as error:
        raise Malformed(f"{path.name} cannot be read: {error}", file=str(path)) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if isinstance(mark, yaml.Mark) else 0
        raise Malformed(
            f"{path.name}, line {line}: this is no YAML: {getattr(error, 'problem', error)}",
            file=str(path),
            line=line,
        ) from None


class _TextLoader(yaml.SafeLoader):
    """Leaves numbers with a point as text: a float would not be what was written."""


_TextLoader.yaml_implicit_resolvers = {
    first: [(tag, match) for tag, match in rules if tag != "tag:yaml.org,2002:float"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _Tree:
    """A file as it was composed: its values, and the line of each."""

    def __init__(self, path: Path | None, root: yaml.Node | None) -> None:
        self._path = path
        self._root = root

    def value(self) -> dict[str, object]:
        """Return what the file says."""
        if self._root is None:
            return {}
        said = _TextLoader("").construct_document(self._root)
        if not isinstance(said, dict):
            raise self.told((), "sections such as portfolio: and venues:")
        return {str(key): value for key, value in said.items()}

    def fault(self, error: ValidationError, under: tuple[str, ...] = ()) -> Malformed:
        """Say where the file, or else the environment, is wrong."""
        first = error.errors(include_url=False, include_input=False)[0]
        place = (*under, *(each for each in first["loc"] if each != _FILE))
        return self.told(place, _expected(first))

    def _line(self, place: tuple[int | str, ...]) -> int | None:
        node, line = self._root, None if place else 1
        for step in place:
            found = _child(node, step)
            if found is None:
                break
            node, line = found
        return line

    def told(self, place: tuple[int | str, ...], expected: str) -> Malformed:
        """Return the fault of a place in the file: what was expected there."""
        line, field = self._line(place), ".".join(map(str, place))
        if self._path is None or line is None:
            where = f"the setting {field}"
        else:
            where = f"{self._path.name}, line {line}: {field}".rstrip(": ")
        return Malformed(
            f"{where}: expected {expected}",
            file=None if self._path is None else str(self._path),
            line=line,
            field=field,
        )


def _child(node: yaml.Node | None, step: int | str) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return value, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        value = node.value[step]
        return value, value.start_mark.line + 1
    return None


def _expected(error: ErrorDetails) -> str:
    if error["type"] == "extra_forbidden":
        return "no such key; there is none of that name"
    said = error["msg"].removeprefix("Value error, ")
    return said[:1].lower() + said[1:]
