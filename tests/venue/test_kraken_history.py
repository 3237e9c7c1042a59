"""A history in pages: all rows once, in any pace of arrival, and from wherever a kill left it."""

import asyncio
import json
from decimal import Decimal
from itertools import pairwise

import pytest

from bursar.errors import Malformed, VenueIncomplete
from bursar.ledger.entries import Fill, Movement
from bursar.venue.kraken import place
from tests.venue.kraken_accounts import Teller, made
from tests.venue.kraken_model import Model, account, synced
from tests.venue.kraken_runs import RULES, canonical, rows_of, run, told


@pytest.mark.parametrize("rows", [1, 49, 50, 51, 100, 333])
def test_every_row_once_whatever_the_pages(tmp_path, rows):
    model, _ = made(rows, rows)
    said = told(run(tmp_path, model, pages=1))
    assert rows_of(said) == sorted(model.ledger)
    fills = [each.id for each in said if isinstance(each, Fill)]
    assert sorted(fills) == sorted(f"kraken:main:{txid}" for txid in model.trades)


def test_where_pages_and_chunks_are_cut_changes_no_statement(tmp_path):
    model, _ = made(7, 400)
    whole = canonical(told(run(tmp_path, model, pages=100)))
    assert canonical(told(run(tmp_path, model, pages=1))) == whole
    assert canonical(told(run(tmp_path, model, pages=3))) == whole


@pytest.mark.parametrize("ties", [49, 50, 51, 120, 150])
def test_ties_over_page_ends_are_neither_lost_nor_cut_apart(tmp_path, ties):
    model = Model()
    teller = Teller(model, ties)
    teller.go(37)
    teller.at += 10
    teller.go(ties, steps=(Decimal(0),))
    teller.at += 10
    teller.go(40)
    chunks = run(tmp_path, model, pages=1)
    assert rows_of(told(chunks)) == sorted(model.ledger)
    for one, other in pairwise(chunks):
        latest = max(each.executed_at for each in one.statements if isinstance(each, Movement))
        assert all(
            each.executed_at > latest for each in other.statements if isinstance(each, Movement)
        )


def test_chunks_come_oldest_first_and_say_how_far_they_are(tmp_path):
    model, _ = made(3, 260)
    chunks = run(tmp_path, model, pages=1)
    assert len(chunks) >= 5
    assert [chunk.done for chunk in chunks] == sorted(chunk.done for chunk in chunks)
    assert chunks[-1].done == chunks[-1].total == len(model.ledger)


def test_an_empty_account_has_no_chunks(tmp_path):
    assert run(tmp_path, Model()) == []


def test_a_kill_at_any_request_leaves_a_mark_that_goes_on(tmp_path):
    model, _ = made(11, 230)
    whole = canonical(told(run(tmp_path, model, pages=1, rules=RULES)))
    requests = len(model.asked)
    assert requests > 12
    for last in range(requests):
        heard = interrupted(tmp_path, model, after=last)
        mark = heard[-1].mark if heard else None
        rest = run(tmp_path, model, mark, pages=1, rules=RULES)
        assert canonical(told([*heard, *rest])) == whole, last


def interrupted(tmp_path, model, *, after):
    """The chunks that were there when a reader was killed at its request number `after`."""
    heard = []

    async def go():
        async with account(model, tmp_path, pages=1, rules=RULES) as there:
            async for chunk in there.history(None):
                heard.append(chunk)  # noqa: PERF401 (a kill must not take what was heard)

    async def killed():
        work = asyncio.ensure_future(go())
        begun = len(model.asked)

        def strike(number, _):
            if number - begun == after:
                work.cancel()

        model.before = strike
        try:
            await work
        except asyncio.CancelledError:
            pass
        finally:
            model.before = lambda *_: None

    asyncio.run(killed())
    return heard


def test_a_kill_at_any_request_while_rows_arrive(tmp_path):
    for last in range(0, 20, 3):
        model, teller = made(last, 200)
        heard = interrupted(tmp_path, model, after=last)
        teller.go(60)
        rest = run(tmp_path, model, heard[-1].mark if heard else None, pages=1, rules=RULES)
        assert rows_of(told([*heard, *rest])) == sorted(model.ledger), last


def test_rows_that_arrive_while_pages_are_read_are_told_once(tmp_path):
    model, teller = made(5, 300)
    model.before = lambda number, endpoint: (
        teller.go(7, steps=(Decimal("0.3"),)) if endpoint == "Ledgers" and number < 20 else None
    )
    first = run(tmp_path, model, pages=1)
    model.before = lambda *_: None
    rest = run(tmp_path, model, first[-1].mark, pages=1)
    said = told([*first, *rest])
    assert rows_of(said) == sorted(model.ledger)


def test_a_second_sync_of_nothing_new_asks_twice_and_says_nothing(tmp_path):
    model, _ = made(13, 220)
    mark = run(tmp_path, model, rules=RULES)[-1].mark
    model.asked.clear()
    model.now += 5000

    async def go():
        async with account(model, tmp_path, rules=RULES) as there:
            chunks = await synced(there, mark)
            return chunks, await there.statement(), there.client.requests

    chunks, statement, requests = asyncio.run(go())
    assert chunks == []
    assert requests == 3
    assert model.asked == ["Time", "Ledgers", "BalanceEx"]
    assert {each.asset for each in statement.holdings} == {"USD", "XBT", "ETH"}


def test_a_second_sync_asks_only_for_what_is_new(tmp_path):
    model, teller = made(17, 400)
    mark = run(tmp_path, model)[-1].mark
    before = set(model.ledger)
    teller.at += 7200
    teller.go(20)
    model.asked.clear()
    chunks = run(tmp_path, model, mark)
    assert set(rows_of(told(chunks))) == set(model.ledger) - before
    assert model.asked.count("Ledgers") == 1
    assert model.asked.count("TradesHistory") == 1


@pytest.mark.parametrize("rows", [1, 50, 200, 1300])
def test_a_second_sync_after_many_new_rows(tmp_path, rows):
    model, teller = made(19, 130)
    first = run(tmp_path, model)
    teller.go(rows, steps=(Decimal(0), Decimal("0.5")))
    rest = run(tmp_path, model, first[-1].mark, pages=2)
    assert rows_of(told([*first, *rest])) == sorted(model.ledger)
    again = run(tmp_path, model, rest[-1].mark)
    assert again == []


def test_a_row_that_arrives_late_is_still_told(tmp_path):
    model, teller = made(23, 130)
    first = run(tmp_path, model)
    teller.balances["ZEUR"] = Decimal(0)
    late = teller.row("FTlate", "deposit", "ZEUR", Decimal(5))
    model.ledger[late]["time"] = teller.at - 1000
    rest = run(tmp_path, model, first[-1].mark)
    assert rows_of(told(rest)) == [late]
    assert run(tmp_path, model, rest[-1].mark) == []


def test_a_late_row_while_pages_are_read_is_found(tmp_path):
    model, teller = made(29, 200)

    def late(number, endpoint):
        if number == 4:
            teller.balances["ZEUR"] = Decimal(0)
            txid = teller.row("FTlate", "deposit", "ZEUR", Decimal(5))
            model.ledger[txid]["time"] = Decimal("1790000000.5")

    model.before = late
    said = told(run(tmp_path, model, pages=1))
    assert rows_of(said) == sorted(model.ledger)


def test_the_same_history_from_nothing_is_the_same_statements(tmp_path):
    model, _ = made(31, 300)
    first = told(run(tmp_path, model))
    assert canonical(told(run(tmp_path, model))) == canonical(first)


def test_statements_of_many_syncs_are_those_of_one(tmp_path):
    model = Model()
    teller = Teller(model, 37)
    said, mark = [], None
    for _ in range(12):
        teller.go(teller.chance.randint(1, 90))
        teller.at += 3
        chunks = run(tmp_path, model, mark, rules=RULES)
        said += told(chunks)
        mark = chunks[-1].mark
    assert canonical(said) == canonical(told(run(tmp_path, model, rules=RULES)))


def test_a_lost_row_breaks_the_chain_and_nothing_beyond_it_is_told(tmp_path):
    model, _ = made(41, 300)
    usd = [txid for txid, row in model.ledger.items() if row["asset"] == "ZUSD"]
    lost, after = usd[60], usd[61]
    expected = Decimal(model.ledger[usd[59]]["balance"])
    heard = []

    async def go():
        del model.ledger[lost]
        async with account(model, tmp_path, pages=1) as there:
            async for chunk in there.history(None):
                heard.append(chunk)  # noqa: PERF401 (a kill must not take what was heard)

    with pytest.raises(VenueIncomplete) as caught:
        asyncio.run(go())
    row = model.ledger[after]
    assert caught.value.context["row"] == after
    assert caught.value.context["code"] == "ZUSD"
    moved = Decimal(row["amount"]) - Decimal(row["fee"])
    assert Decimal(str(caught.value.context["expected"])) == expected + moved
    assert Decimal(str(caught.value.context["found"])) == Decimal(row["balance"])
    assert all(each.executed_at < int(row["time"] * 10**9) for each in told(heard))


def test_for_a_gap_that_stays_all_is_read_again_once_a_day(tmp_path):
    model, _ = made(41, 900)
    usd = [txid for txid, row in model.ledger.items() if row["asset"] == "ZUSD"]
    lost, mark = model.ledger.pop(usd[-20]), None
    pages = []

    async def go():
        nonlocal mark
        async with account(model, tmp_path, pages=1) as there:
            async for chunk in there.history(mark):
                mark = chunk.mark

    for later in (0, 60, 60, 60, 86_400, 60):
        model.now += later
        model.asked.clear()
        with pytest.raises(VenueIncomplete):
            asyncio.run(go())
        pages.append(model.asked.count("Ledgers"))
    first, again, then, after, next_day, last = pages
    assert min(first, again, next_day) > 15
    assert then == after == last < 5
    model.ledger = dict(sorted({**model.ledger, usd[-20]: lost}.items(), key=_when))
    model.now += 60
    asyncio.run(go())
    assert "again_at" not in json.loads(mark or "{}")


def _when(named):
    return named[1]["time"]


def test_no_row_can_be_lost_unseen_between_two_of_its_code(tmp_path):
    """Also where pages and chunks are cut, and between one sync and the next."""
    whole, _ = made(101, 160)
    for code in ("ZUSD", "XXBT"):
        names = [txid for txid, row in whole.ledger.items() if row["asset"] == code]
        for lost in names[1:-1:5]:
            model = Model(whole.now)
            model.ledger = {txid: row for txid, row in whole.ledger.items() if txid != lost}
            with pytest.raises(VenueIncomplete, match=code):
                run(tmp_path, model, pages=1)


def test_a_row_that_is_lost_between_two_syncs_is_missed(tmp_path):
    model, teller = made(103, 120)
    mark = run(tmp_path, model)[-1].mark
    teller.at += 10
    lost = teller.row("FT", "deposit", "ZUSD", Decimal(5))
    teller.at += 10
    teller.row("FT", "deposit", "ZUSD", Decimal(7))
    del model.ledger[lost]
    teller.settle()
    with pytest.raises(VenueIncomplete) as caught:
        run(tmp_path, model, mark)
    assert caught.value.context["code"] == "ZUSD"


def test_a_sweep_that_was_cut_off_keeps_its_end_and_later_ones_their_windows(tmp_path):
    model, teller = made(107, 300)
    heard = interrupted(tmp_path, model, after=10)
    assert "end" in json.loads(heard[-1].mark)
    ends = {form["end"] for form in model.forms if "end" in form}
    teller.go(80)
    model.forms.clear()
    rest = run(tmp_path, model, heard[-1].mark)
    told_ends = [form["end"] for form in model.forms if "end" in form]
    assert told_ends[0] in ends
    assert told_ends[-1] == str(model.now + 1)
    teller.at += 10
    teller.trade()
    teller.settle()
    model.forms.clear()
    run(tmp_path, model, rest[-1].mark)
    starts = [int(form["start"]) for form in model.forms if "ofs" in form]
    assert len(starts) == 2
    assert min(starts) > model.now - 3 * 3600 - 8000


def test_a_gap_that_heals_is_no_error(tmp_path):
    model, _ = made(43, 200)
    usd = [txid for txid, row in model.ledger.items() if row["asset"] == "ZUSD"]
    hidden = model.ledger[usd[30]]
    order = list(model.ledger)

    def heal(number, endpoint):
        if number == 7 and usd[30] not in model.ledger:
            model.ledger[usd[30]] = hidden
            model.ledger = {txid: model.ledger[txid] for txid in order}

    model.before = heal
    del model.ledger[usd[30]]
    assert rows_of(told(run(tmp_path, model, pages=1))) == sorted(order)


def test_a_gap_may_be_let_in_and_is_noted(tmp_path):
    model, _ = made(41, 120)
    usd = [txid for txid, row in model.ledger.items() if row["asset"] == "ZUSD"]
    del model.ledger[usd[20]]

    async def go():
        async with account(model, tmp_path, allow_breaks=True) as there:
            return await synced(there), list(there.client.notices)

    chunks, notices = asyncio.run(go())
    assert rows_of(told(chunks)) == sorted(model.ledger)
    assert [usd[21] in notice.text for notice in notices] == [True]


def test_a_count_that_no_page_bears_out_is_an_error(tmp_path):
    model, _ = made(47, 60)

    def boast(endpoint, result):
        return {**result, "count": result["count"] + 3} if endpoint == "Ledgers" else result

    model.twist = boast
    with pytest.raises(VenueIncomplete):
        run(tmp_path, model)


def stale(result, last):
    return last if last is not None else result


def shorter(result, _):
    (name,) = result.keys() - {"count"}
    return {**result, name: dict(list(result[name].items())[:-7])}


def emptied(result, _):
    (name,) = result.keys() - {"count"}
    return {**result, name: {}}


def miscounted(result, _):
    return {**result, "count": result["count"] + 2}


@pytest.mark.parametrize("spoil", [stale, shorter, emptied, miscounted])
@pytest.mark.parametrize("endpoint", ["Ledgers", "TradesHistory", "ClosedOrders"])
def test_a_page_that_is_wrong_once_harms_nothing(tmp_path, endpoint, spoil):
    model, _ = made(89, 230)
    whole = canonical(told(run(tmp_path, model, pages=1, rules=RULES)))
    pages = model.asked.count(endpoint)
    assert pages > 1
    for wrong in range(pages):
        model.twist = spoiling(endpoint, spoil, wrong)
        assert canonical(told(run(tmp_path, model, pages=1, rules=RULES))) == whole, wrong


def spoiling(endpoint, spoil, wrong):
    """Spoil the answer number `wrong` to an endpoint; `spoil` gets it and the one before."""
    number, last = -1, None

    def twist(asked, result):
        nonlocal number, last
        if asked != endpoint:
            return result
        number += 1
        given = spoil(result, last) if number == wrong else result
        last = result
        return given

    return twist


@pytest.mark.parametrize("spoil", [shorter, emptied, miscounted])
def test_pages_that_stay_wrong_are_an_error(tmp_path, spoil):
    model, _ = made(89, 230)
    model.twist = lambda asked, result: spoil(result, None) if asked == "Ledgers" else result
    with pytest.raises(VenueIncomplete):
        run(tmp_path, model, pages=1)


@pytest.mark.parametrize("mark", ["", "{}", "[]", '{"account":"kraken:other"}', '{"version":2}'])
def test_a_mark_that_is_none_is_refused(tmp_path, mark):
    with pytest.raises(Malformed):
        run(tmp_path, Model(), mark)


def test_marks_are_canonical_and_small(tmp_path):
    model, _ = made(83, 900)
    for chunk in run(tmp_path, model, pages=1):
        assert place.write(place.read(chunk.mark, "kraken:main")) == chunk.mark
        assert len(chunk.mark) < 64 * 1024
