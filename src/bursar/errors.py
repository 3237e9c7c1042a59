"""Everything that can go wrong, as one tree.

    BursarError                    code, message, context: safe values only, never a secret
    ├── InputError                 the caller must change something; never retried
    │   ├── NotExact               not an exact number
    │   ├── OutOfBounds            more digits, rows or bytes than the door lets in
    │   ├── TooLarge               a request whose body is longer than is read
    │   ├── Malformed              a file or text that breaks its own format: file, line, field,
    expectation
    │   ├── UnknownFormat          no reader knows this file
    │   ├── UnknownAsset           a pair or asset that no table names
    │   ├── RegionDenied           what the rules of a region do not allow
    │   ├── BadChoice              an option outside its closed set
    │   └── TransactionOver        staged or committed after a transaction's end
    ├── NotFound                   asked for something the book does not hold
    │   ├── PositionNotFoundError  no position in that pair
    │   ├── EntryNotFound          no fact with that id
    │   ├── FigureNotFound         no figure with that name
    │   ├── BreakNotFound          no break with that id, or nothing that would close it
    │   ├── PortfolioNotFound      no portfolio with that name
    │   ├── TokenNotFound          no token with that name
    │   ├── RouteNotFound          the service answers nothing there
    │   └── WrongMethod            it does, but not that way
    ├── LedgerError                the facts refuse
    │   ├── Oversold               a disposal of more than is held
    │   ├── Conflicted             a fact told twice in different words
    │   └── Behind                 it reaches behind what is in memory; the desk reads the journal
    ├── ConflictError              someone was first: read again, then retry
    │   ├── StaleVersion           another writer committed in between
    │   └── KeyReused              an id that already stands for another body
    ├── ValueUnknown               not a number today
    │   ├── Doubtful               figures that rest on what does not agree
    │   ├── MissingMark            no price for an asset
    │   └── NoRatePath             no way from one currency to another
    ├── PortfolioError             a plan cannot be made; what is behind it is its cause
    ├── VenueError                 a venue cannot be asked, or its answer is none
    │   ├── VenueDown              not reached, or down; retry later
    │   ├── VenueBusy              it wants us to wait
    │   ├── VenueDenied            the key, its permissions or its nonce are refused; never retried
    │   ├── VenueGarbled           an answer that breaks the venue's own format
    │   └── VenueIncomplete        pages that do not add up to what the venue says there is
    ├── AccessError                whoever asks may not
    │   ├── TokenNeeded            no token, or one that nobody gave out
    │   ├── ScopeTooNarrow         a token that may look, and not write
    │   ├── HostDenied             asked under a name that is not the service's
    │   ├── OriginDenied           asked by a page of another site
    │   └── Unguarded              others could reach it, and there is no token
    ├── ServiceBusy                more is asked at once than is let in; retry
    ├── NotInstalled               a part that does this is an extra, and is not here
    ├── BusError                   events cannot be carried
    │   └── BusDown                not reached, or down; retry later
    └── StoreError                 the place of keeping refuses
        ├── StoreBusy              locked by another writer; retry
        ├── StoreDown              the server is away; nothing was written; retry
        ├── StoreFull              no room; nothing was written
        ├── StoreReadOnly          to be looked at here, and not to be written
        ├── StoreCorrupt           the journal does not verify; writing stops
        ├── SchemaNewer            written by a newer bursar; not opened
        ├── BackupDamaged          a backup that was cut short or changed; nothing was restored
        └── OutcomeUnknown         the answer was lost; ask by id, never repeat blindly
    BrokenInvariant                our own mistake: nothing is written, halt

Catch `BursarError` to catch the world's faults. `BrokenInvariant` is an AssertionError on purpose:
a program that swallows errors must not swallow the proof that its arithmetic is wrong.
"""

from typing import ClassVar


class BursarError(Exception):
    """Something went wrong, and the message says what to do about it."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str | None = None, **context: object) -> None:
        self.message = message or (type(self).__doc__ or "").partition("\n")[0]
        self.context = context
        super().__init__(self.message)


class InputError(BursarError):
    """The input must change before this can work."""

    code = "input"


class NotExact(InputError):
    """Not an exact, finite number in plain notation."""

    code = "not_exact"


class OutOfBounds(InputError):
    """More digits, rows or bytes than are let in."""

    code = "out_of_bounds"


class TooLarge(InputError):
    """The body of the request is longer than is read."""

    code = "too_large"


class Malformed(InputError):
    """A file or text that breaks its own format."""

    code = "malformed"


class UnknownFormat(InputError):
    """No reader knows this kind of file."""

    code = "unknown_format"


class UnknownAsset(InputError):
    """A pair or asset that no table of the venue names."""

    code = "unknown_asset"


class RegionDenied(InputError):
    """Not allowed where the account is."""

    code = "region_denied"


class BadChoice(InputError):
    """An option outside its closed set."""

    code = "bad_choice"


class TransactionOver(InputError):
    """The transaction has ended; begin another."""

    code = "transaction_over"


class NotFound(BursarError):
    """The book does not hold what was asked for."""

    code = "not_found"


class PositionNotFoundError(NotFound):
    """No position in that pair."""

    code = "position_not_found"


class EntryNotFound(NotFound):
    """No fact with that id."""

    code = "entry_not_found"


class FigureNotFound(NotFound):
    """No figure with that name."""

    code = "figure_not_found"


class BreakNotFound(NotFound):
    """No break has that id, or nothing is proposed that would close it."""

    code = "break_not_found"


class PortfolioNotFound(NotFound):
    """No portfolio with that name."""

    code = "portfolio_not_found"


class TokenNotFound(NotFound):
    """No token with that name."""

    code = "token_not_found"


class RouteNotFound(NotFound):
    """The service answers nothing there."""

    code = "route_not_found"


class WrongMethod(NotFound):
    """The service does not answer that way there."""

    code = "wrong_method"


class LedgerError(BursarError):
    """The facts do not allow this."""

    code = "ledger"


class Oversold(LedgerError):
    """A disposal of more than is held."""

    code = "oversold"


class Conflicted(LedgerError):
    """A fact told twice in different words by one source."""

    code = "conflicted"


class Behind(LedgerError):
    """A statement reaches behind the checkpoint: only the whole journal can judge it."""

    code = "behind"


class ConflictError(BursarError):
    """Someone else was first: read again, then retry."""

    code = "conflict"


class StaleVersion(ConflictError):
    """Another writer committed in between."""

    code = "stale_version"


class KeyReused(ConflictError):
    """An id that already stands for another body."""

    code = "key_reused"


class ValueUnknown(BursarError):
    """The value cannot be known from what is recorded."""

    code = "value_unknown"


class Doubtful(ValueUnknown):
    """Figures rest on something that does not agree; nothing is decided from them."""

    code = "doubtful"


class MissingMark(ValueUnknown):
    """No price is known for an asset."""

    code = "missing_mark"


class NoRatePath(ValueUnknown):
    """No chain of prices leads from one currency to the other."""

    code = "no_rate_path"


class PortfolioError(BursarError):
    """A plan could not be made; the error behind it says why (`__cause__`)."""

    code = "portfolio"


class VenueError(BursarError):
    """The venue cannot be asked, or its answer is none. Nothing was made up in its place."""

    code = "venue"


class VenueDown(VenueError):
    """The venue was not reached, or is down; try again later."""

    code = "venue_down"


class VenueBusy(VenueError):
    """The venue wants us to wait."""

    code = "venue_busy"


class VenueDenied(VenueError):
    """The venue refuses the key, its permissions or its nonce."""

    code = "venue_denied"


class VenueGarbled(VenueError):
    """The venue's answer breaks its own format."""

    code = "venue_garbled"


class VenueIncomplete(VenueError):
    """The venue's pages do not add up to what it says there is."""

    code = "venue_incomplete"


class AccessError(BursarError):
    """Whoever asks may not."""

    code = "access"


class TokenNeeded(AccessError):
    """This needs a token: Authorization: Bearer …; `bursar token new` makes one."""

    code = "token_needed"


class ScopeTooNarrow(AccessError):
    """This token may look, and not write."""

    code = "scope_too_narrow"


class HostDenied(AccessError):
    """The service is not called that; http.hosts lists its names."""

    code = "host_denied"


class OriginDenied(AccessError):
    """Pages of that site may not ask; http.origins lists those that may."""

    code = "origin_denied"


class Unguarded(AccessError):
    """Others could reach the service, and there is no token."""

    code = "unguarded"


class ServiceBusy(BursarError):
    """More is asked at once than is let in; retry in a moment."""

    code = "service_busy"


class NotInstalled(BursarError):
    """A part that does this is an extra, and is not installed."""

    code = "not_installed"


class BusError(BursarError):
    """Events cannot be carried. None is lost: what was not carried is carried later."""

    code = "bus"


class BusDown(BusError):
    """The bus was not reached, or is down; try again later."""

    code = "bus_down"


class StoreError(BursarError):
    """The store refuses or fails."""

    code = "store"


class StoreBusy(StoreError):
    """Locked by another writer; retry in a moment."""

    code = "store_busy"


class StoreDown(StoreError):
    """The database server cannot be reached; nothing was written, retry in a moment."""

    code = "store_down"


class StoreFull(StoreError):
    """No room left; nothing was written."""

    code = "store_full"


class StoreReadOnly(StoreError):
    """The book may be looked at here, and not be written; nothing was."""

    code = "store_read_only"


class StoreCorrupt(StoreError):
    """The journal does not verify; writing has stopped."""

    code = "store_corrupt"


class SchemaNewer(StoreError):
    """Written by a newer bursar; upgrade before opening it."""

    code = "schema_newer"


class BackupDamaged(StoreError):
    """The backup was cut short or changed, or is none: nothing was restored."""

    code = "backup_damaged"


class OutcomeUnknown(StoreError):
    """The commit's answer was lost: ask by id whether it happened."""

    code = "outcome_unknown"


class BrokenInvariant(AssertionError):
    """The books do not close: our own mistake. Nothing of this commit was written."""

    code: ClassVar[str] = "broken_invariant"

    def __init__(self, message: str, **context: object) -> None:
        self.message = message
        self.context = context
        super().__init__(message)
