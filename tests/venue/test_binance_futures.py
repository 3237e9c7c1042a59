"""USD-M futures at the fake Binance: wallet, positions, income, and what is told no more."""

import json
from decimal import Decimal

import msgspec
import pytest

from bursar.ledger import instant
from bursar.ledger.entries import CashFlow, FlowKind, MarginFill
from bursar.ledger.openings import is_opening
from bursar.portfolio import agreement
from bursar.reconcile import Kind, Limits
from bursar.sim.binance import invent, truth
from bursar.sim.binance.account import FUTURES_TRADES, START, TRANSFERS
from bursar.venue.binance.history import Options
from tests import figures
from tests.venue.binance_asking import answered, recorded
from tests.venue.binance_story import END, SHARED, STORY, story
from tests.venue.following import at_binance
from tests.venue.test_binance_sync import (  # noqa: F401 (fixtures)
    exported,
    followed,
    follower,
    held,
)

SEED = figures.SEED
D = Decimal


def positions(following):
    """The book's open positions by pair."""
    margins = following.service.portfolio.book().margins
    return {pair: each.quantity for (_, pair), each in margins.items() if each.quantity}


def at_the_venue(following):
    found = {}
    for each in following.run(following.venue.positions()):
        side = "" if each.position_side == "BOTH" else f"-{each.position_side}"
        found[f"{each.symbol.removesuffix('USDT')}/USDT:USDT{side}"] = each.position_amt
        assert each.leverage == 21
    return found


def in_futures(following):
    pockets = following.service.portfolio.book().pockets
    return sum(each for key, each in pockets.items() if key[2] == "usd-m futures")


def realised(following):
    cells = following.service.portfolio.book().cells
    return {key: cell.realized for key, cell in cells.items() if cell.realized}


@pytest.mark.parametrize("seed,mode", [(SEED * 2, "hedge"), (SEED * 2 + 1, "one-way")])
def test_positions_are_the_venues_own_in_either_mode(followed, seed, mode):  # noqa: F811
    account = invent(seed, 100)
    following = followed(account)
    told = at_the_venue(following)
    assert positions(following) == told != {}
    assert any("-" in pair for pair in told) is (mode == "hedge")
    trades = [each for each in following.service.portfolio.timeline if type(each) is MarginFill]
    assert len(trades) == sum(row.path == FUTURES_TRADES for row in account.rows)
    assert all(each.base and not each.flags and len(each.rows) in {1, 2} for each in trades)
    assert all(pair != "/USDT" for pair in following.done.accounts[0].updated_pairs)


def test_long_and_short_of_one_market_are_two_positions(followed):  # noqa: F811
    account = invent(SEED * 2, 60)
    at, rows = account.end + instant.DAY, []
    for number, (side, deed) in enumerate((("LONG", "BUY"), ("SHORT", "SELL"))):
        told = {"symbol": "SOLUSDT", "id": 90 + number, "orderId": 1, "side": deed, "qty": "0.1"}
        told |= {"price": "150", "time": at // 10**6 + number, "positionSide": side}
        path, like = FUTURES_TRADES, account.rows[0].__class__
        rows.append(like(path=path, at=at + number * 10**6, told=told, symbol="SOLUSDT"))
    account = msgspec.structs.replace(account, rows=(*account.rows, *rows))
    following = followed(account)  # they were charged nothing, so no income tells of them
    found = {pair: each for pair, each in positions(following).items() if "SOL" in pair}
    assert found == {"SOL/USDT:USDT-LONG": D("0.1"), "SOL/USDT:USDT-SHORT": D("-0.1")}


def test_income_that_is_told_no_more_is_an_opening(followed):  # noqa: F811
    account = invent(SEED, 80)
    late = account.end + 100 * instant.DAY
    following = followed(account, start=late)
    (done,) = following.done.accounts
    assert (done.failure, done.drift_detected) == (None, False)
    assert held(following) == truth(account, following.clock.now())
    flows = [each for each in following.service.portfolio.timeline if isinstance(each, CashFlow)]
    opened, said = [each for each in flows if each.kind is FlowKind.OPENING]
    assert is_opening(opened)
    assert opened.pocket == "usd-m futures"
    assert said.amount == 0
    assert "Binance tells nothing any more" in (said.note or "")
    assert positions(following) == at_the_venue(following)
    following.service = following.made()
    assert following.sync().accounts[0].new_entries == 0


@pytest.mark.parametrize("days", [85, 110])
def test_an_opening_gives_way_to_exports_that_tell_more(followed, follower, tmp_path, days):  # noqa: F811
    account = invent(SEED * 2, 60)
    known = followed(account)  # in time: nothing is lacking, and nothing is opened
    history, _, futures = exported(account, tmp_path)
    books = {}
    for order in ("afh", "fah", "hfa", "ahf"):
        late = follower(account, start=account.end + days * instant.DAY)
        for step in order:
            if step == "a":
                (done,) = late.initialize().accounts
                assert (done.failure, done.conflicts, done.drift_detected) == (None, (), False)
            else:
                file = futures if step == "f" else history
                late.service.portfolio.import_files(file)
            assert step != "a" or held(late) == truth(account, late.clock.now())
        portfolio = late.service.portfolio
        assert held(late) == truth(account, late.clock.now()), order
        assert not any(is_opening(each) for each in portfolio.timeline)
        assert realised(late) == realised(known)
        assert portfolio.verify().is_sound
        books[order] = portfolio.digest()
    assert len(set(books.values())) == 1


def test_what_older_exports_leave_out_stays_an_opening(followed, tmp_path):  # noqa: F811
    account = invent(SEED * 2, 60)
    following = followed(account, start=account.end + 110 * instant.DAY)
    *_, file = exported(account, tmp_path)
    head, *rows = file.read_text().splitlines()
    lacking = next(row for row in rows if "FUNDING_FEE" in row and ",-" not in row)
    file.write_text("\n".join([head, *(row for row in rows if row != lacking)]) + "\n")
    following.service.portfolio.import_files(file)
    (opened,) = following.service.portfolio.timeline.openings.values()
    assert (opened.pocket, opened.amount) == ("usd-m futures", D(lacking.split(",")[2]))
    assert following.sync().accounts[0].drift_detected is False


def test_exports_that_tell_of_more_than_was_there_are_drift_at_once(followed, tmp_path):  # noqa: F811
    account = invent(SEED * 2, 60)
    following = followed(account, start=account.end + 110 * instant.DAY)
    *_, file = exported(account, tmp_path)
    stamp = file.read_text().splitlines()[1].split(",")[0]
    with file.open("a") as more:
        more.write(f"{stamp},FUNDING_FEE,1.5,USDT,BTCUSDT,777\n")  # where it went, nothing tells
    following.service.portfolio.import_files(file)
    assert following.service.portfolio.timeline.openings == {}
    (seen,) = following.service.get_drift()  # the venue was not asked again
    (line,) = [each for each in seen.comparison.differing if each.is_asset]
    assert (line.asset, line.difference) == ("USDT", D("-1.5"))


def test_early_trades_that_are_heard_of_late_take_their_part_of_the_opening(followed):  # noqa: F811
    account = invent(22, 90)  # one of its two markets is flat at the end, so nobody asks for it
    now = account.end + 110 * instant.DAY
    following = followed(account, start=now)
    (before,) = following.service.portfolio.timeline.openings.values()
    heard = {pair.partition("/")[0] + "USDT" for pair in positions(following)}
    trades = [row for row in account.rows if row.path == FUTURES_TRADES]
    quiet = [row for row in trades if row.symbol not in heard]
    told = {**quiet[-1].told, "id": 99_999, "time": now // 10**6}
    told |= {"realizedPnl": "0", "commission": "0"}
    late = msgspec.structs.replace(quiet[-1], at=now // 10**6 * 10**6, told=told)
    rows = (*account.rows, late)
    following.fake.house.account = account = msgspec.structs.replace(account, rows=rows)
    following.at(now + instant.DAY)
    (done,) = following.sync().accounts
    assert (done.failure, done.conflicts, done.drift_detected) == (None, (), False)
    assert done.new_trades == len(quiet) + 1 > 2
    assert held(following) == truth(account, following.clock.now())
    (after,) = following.service.portfolio.timeline.openings.values()
    assert after.amount != before.amount
    assert not any("does not close" in each.text for each in following.venue.client.notices)


def test_a_position_that_is_older_than_its_trades_is_said(followed):  # noqa: F811
    account = invent(SEED, 80)
    start = account.end + 200 * instant.DAY
    following = followed(account, start=start, options=Options(since=START))
    texts = " ".join(each.text for each in following.venue.client.notices)
    assert "are not what their trades come to; older ones are not told" in texts
    assert following.done.drift_detected
    portfolio, name = following.service.portfolio, "binance:main"
    found = agreement.reconciled(portfolio, name, Limits())
    assert {each.kind for each in found.breaks} >= {Kind.POSITION}
    for each in found.breaks:
        if each.kind is Kind.POSITION:
            agreement.accept(portfolio, found, each.id)
    assert agreement.reconciled(portfolio, name, Limits()).comparison.apart == ()
    assert positions(following) == at_the_venue(following)


def test_a_futures_wallet_that_the_key_may_not_see_is_out_of_sight_and_said(followed):  # noqa: F811
    account = msgspec.structs.replace(invent(SEED, 80), has_futures=False)
    following = followed(account)
    (done,) = following.done.accounts
    assert (done.failure, done.drift_detected) == (None, False)
    assert any("futures wallet is out of sight" in e.text for e in following.venue.client.notices)
    sent = sum(
        units
        for row in account.rows
        if row.path == TRANSFERS
        for wallet, _, units in row.moves
        if wallet == "futures"
    )
    pockets = following.service.portfolio.book().pockets
    assert sum(each for key, each in pockets.items() if key[2] == "in transit") == D(sent) / 10**8


def test_a_row_of_income_that_is_kept_back_is_found(followed):  # noqa: F811
    account = invent(SEED, 80)
    row = [each for each in account.rows if each.told.get("incomeType") == "FUNDING_FEE"][-1]
    following = followed(account)
    later = msgspec.structs.replace(
        row, at=account.end + instant.DAY, told={**row.told, "tranId": 5}
    )
    account = msgspec.structs.replace(account, rows=(*account.rows, later))
    account = msgspec.structs.replace(account, hidden=frozenset({later.id}))
    following.fake.house.account = account
    following.at(account.end + 2 * instant.DAY)
    following.sync()
    (seen,) = following.service.get_drift()
    (line,) = [each for each in seen.comparison.differing if each.is_asset]
    assert (line.asset, line.difference) == ("USDT", D(str(row.told["income"])))
    assert f"the futures wallet does not close: {line.difference.normalize():f} USDT" in " ".join(
        each.text for each in following.venue.client.notices
    )
    before = following.service.portfolio.digest()
    for anew in (True, False, True):  # what is not told again is no beginning of the wallet
        (done,) = following.run(following.service.sync(rows_anew=anew)).accounts
        assert (done.failure, done.new_entries) == (None, 0)
        (again,) = following.service.get_drift()
        assert again.comparison.differing == seen.comparison.differing
    assert following.service.portfolio.digest() == before


# -------------------------------------------------------------------------------------- the story


@recorded
def test_every_futures_figure_of_the_story():
    right = json.loads((STORY / "expected.json").read_text())["expected"]["futures"]
    following = at_binance(story(), start=END)
    following.initialize()
    facts = list(following.service.portfolio.timeline)
    margins = [each for each in facts if isinstance(each, MarginFill)]
    assert sum(each.settled or 0 for each in margins) == D(right["realised"]["USDT"])
    fees = [fee for each in margins for fee in each.fees]
    assert {fee.asset for fee in fees} == {"USDT"}
    assert sum(fee.amount for fee in fees) == D(right["commission"]["USDT"])
    funding = [e for e in facts if isinstance(e, CashFlow) and e.kind is FlowKind.FUNDING]
    assert sum(each.amount for each in funding) == D(right["funding_net"]["USDT"])
    assert in_futures(following) == D(right["wallet_balance"]["USDT"])
    assert positions(following) == {"BTC/USDT:USDT": D(right["position"]["BTCUSDT"])}
    book = following.service.portfolio.book()
    (margin,) = [each for each in book.margins.values() if each.quantity]
    assert margin.notional - D("0.002") * D(61_000) == D(right["unrealised"]["USDT"])
    following.close()


@recorded
def test_recorded_answers_are_read():
    def at(name):
        return json.loads((SHARED / "usdm" / "jkorf" / name).read_text())

    from bursar.venue.binance import futures, wire

    async def ask(there):
        trades = [each async for page in futures.trades(there, "BTCUSDT", None) for each in page]
        return trades, await wire.futures_wallet(there), await wire.leveraged(there)

    (trade,), (wallet, *_), open_ = answered(
        {
            "/fapi/v1/userTrades": at("Trading-GetUserTrades.json"),
            "/fapi/v3/account": at("Account-GetAccountInfo.json"),
            "/fapi/v3/positionRisk": at("Account-GetPositionInformation.json"),
            "/fapi/v1/symbolConfig": at("Account-GetSymbolConfiguration.json"),
        },
        ask,
    )
    said = futures.fill(trade, account="binance:main")
    assert (said.pair, said.quantity, said.price) == (
        "BTC/USDT:USDT-SHORT",
        D("0.002"),
        D("7819.01"),
    )
    assert (said.settled, said.fees[0].amount) == (D("-0.91539999"), D("0.07819010"))
    assert (wallet.asset, wallet.total) == ("USDT", D("23.72469206"))  # available is no coin
    assert open_ == []
