"""Whole syncs against a model, and what they tell."""

import asyncio

from bursar.ledger.entries import Movement, encode
from bursar.venue.kraken.tags import TagRules
from tests.venue.kraken_model import account, synced

RULES = TagRules(userrefs={7: "grid"}, patterns=["KRKKD:(?P<strategy>[a-z0-9_]+)(?:-[0-9]+)?"])


def told(chunks):
    return [said for chunk in chunks for said in chunk.statements]


def rows_of(said):
    return sorted(
        each.id.removeprefix("kraken:main:") for each in said if isinstance(each, Movement)
    )


def canonical(said):
    return sorted(encode(each) for each in said)


def run(tmp_path, model, mark=None, **options):
    async def go():
        async with account(model, tmp_path, **options) as there:
            return await synced(there, mark)

    return asyncio.run(go())
