"""The built-in detector at work: closes of its own candles from the marks of one market → regime.

The close of a candle is the last price seen in it. A candle in which no price was seen has none,
nor has one at whose end nobody looked; over such a gap the detector makes no return (`measure.
regime`). Each close is kept, and the verdict is that of the kept closes alone, so a restart changes
nothing. A verdict that is another than the last is told as the regime, in one transaction with the
close that made it; what others tell stands until then.

A close is kept as it was said, of the units of its candle, and a verdict is of closes of the units
that there are now: a split is no fall, once it is known. The candle in which it lies has no close.

Errors: what the store raises.
"""

from typing import Final

import msgspec

from bursar.capital.regimes import Telling
from bursar.capital.settings import DetectorSettings
from bursar.ledger import instant
from bursar.measure.regime import Close, Regime, detect
from bursar.portfolio import regimes
from bursar.portfolio.log import LOG
from bursar.portfolio.portfolio import Portfolio
from bursar.value.marks import Mark
from bursar.value.splits import Splits

KEPT_MAX: Final = 500
_MEMO: Final = "capital closes"
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


class Candles(msgspec.Struct, frozen=True):
    """The closes of one market's candles, oldest first, and the verdict that was told last."""

    symbol: str
    minutes: int
    closes: tuple[Close, ...] = ()
    verdict: str = ""


_DECODER: Final = msgspec.json.Decoder(Candles)


class Detecting:
    """Follows one market for one portfolio; `look` belongs on a timer of a second or so."""

    def __init__(self, portfolio: Portfolio, settings: DetectorSettings) -> None:
        self._portfolio = portfolio
        self._settings = settings
        self._step = settings.minutes * 60 * instant.SECOND
        self._last: Mark | None = None

    def look(self) -> str | None:
        """Take in the market's price; return the regime if a candle has closed that changed it."""
        now, told = self._portfolio.desk.clock.now(), None
        seen = self._portfolio.marks().named(self._settings.symbol)
        candle, last = now // self._step, self._last
        if seen is not None and last is not None and self._candle(seen) == self._candle(last):
            last = seen
        if last is not None and self._candle(last) < candle:
            told, last = self._closed(last), None
        self._last = seen if seen is not None and self._candle(seen) == candle else last
        return told

    def _candle(self, mark: Mark) -> int:
        return mark.at // self._step

    def _closed(self, mark: Mark) -> str | None:
        """Keep the close of the candle that a mark was the last of, and tell what it changes.

        What was kept of a time to come, before a clock was set back, goes.
        """
        store, now = self._portfolio.writer.store, self._portfolio.desk.clock.now()
        said = mark.price if mark.stated is None else mark.stated
        close = Close((self._candle(mark) + 1) * self._step, said)
        with store.grouped():
            known = self._candles(store.memo(_MEMO))
            before = tuple(each for each in known.closes if each.at <= now)
            if before and before[-1].at >= close.at:
                return None
            closes = (*before, close)[-KEPT_MAX:]
            found = detect(self._of_now(closes, mark), now=close.at, step=self._step)
            is_news = found.trend is not None and found.name != known.verdict
            verdict = found.name if is_news else known.verdict
            kept = msgspec.structs.replace(known, closes=closes, verdict=verdict)
            memos: dict[str, str | None] = {_MEMO: _ENCODER.encode(kept).decode()}
            if is_news:
                telling = self._telling(found, close.at)
                memos |= regimes.keeping(store.memo(regimes.MEMO), telling)
            store.save_memos(memos)
        if not is_news:
            return None
        LOG.info("PORTFOLIO_REGIME", regime=found.name, market=known.symbol)
        return found.name

    def _of_now(self, closes: tuple[Close, ...], of: Mark) -> tuple[Close, ...]:
        """Return closes of the market of a mark as prices of the units that there are now, without
        those of which nobody knows on which side of a split they lie. O(closes).
        """
        splits = Splits(self._portfolio.desk.timeline.splits.values())
        if not (splits.tell_of(of.asset) or splits.tell_of(of.quote)):
            return closes
        found: list[Close] = []
        for close in closes:
            edges = (close.at - self._step, close.at - 1)
            marks = [Mark(of.asset, of.quote, close.price, of.source, at) for at in edges]
            told = {mark.price for mark in splits.restated(marks[:1])}
            if told and told == {mark.price for mark in splits.restated(marks[1:])}:
                found.append(Close(close.at, *told))
        return tuple(found)

    def _candles(self, text: str | None) -> Candles:
        """Return what was kept of this market in candles of this length, or nothing."""
        own = Candles(self._settings.symbol, self._settings.minutes)
        kept = own if text is None else _DECODER.decode(text)
        return kept if (kept.symbol, kept.minutes) == (own.symbol, own.minutes) else own

    def _telling(self, found: Regime, at: int) -> Telling:
        score, share = found.trend_score.value, found.volatility_share.value
        return Telling(
            name=found.name,
            at=at,
            by=f"detector {self._settings.symbol}",
            reason=f"trend {score} deviations, volatility above {share} of its past",
        )
