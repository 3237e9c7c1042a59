"""What a row of Binance's histories is a part of, by its operation.

The transaction history names operations in words that have changed over the years, the futures
history by the codes of the income it lists. New ones appear without notice. One that the tables
lack is `UNCLASSIFIED`: its coins count and it is shown.

`LEG` and `SWAP` rows bear no reference: which of them belong together is for the ledger to find, by
their time and by what the trade history says.
"""

import re
from typing import Final

import msgspec

from bursar.ledger.entries import MovementKind as Kind
from bursar.venue.binance.assets import EARN


class Meaning(msgspec.Struct, frozen=True):
    """What a row is. A charge is booked as a fee; `family` keeps apart what never mixes."""

    kind: Kind
    is_charge: bool = False
    family: str = ""


RENAMING: Final = "token swap"
UNKNOWN: Final = Meaning(Kind.UNCLASSIFIED)
_LEG: Final = Meaning(Kind.LEG, family="trades")
_CHARGE: Final = Meaning(Kind.LEG, is_charge=True, family="trades")
_SETTLED: Final = Meaning(Kind.MARGIN)
_COMMISSION: Final = Meaning(Kind.MARGIN, is_charge=True)
_EXCHANGE: Final = Meaning(Kind.SWAP, family="exchange")


def _all(kind: Kind, names: str, *, family: str = "") -> dict[str, Meaning]:
    meaning = Meaning(kind, family=family)
    return {" ".join(name.split()): meaning for name in names.split(";")}


_SPOT: Final = {
    **dict.fromkeys(("buy", "sell", "transaction related"), _LEG),
    **dict.fromkeys(("transaction buy", "transaction spend"), _LEG),
    **dict.fromkeys(("transaction sold", "transaction revenue"), _LEG),
    **dict.fromkeys(("fee", "transaction fee"), _CHARGE),
    **dict.fromkeys(("bnb fee deduction", "bnb deducts fee"), _CHARGE),
    **_all(Kind.SWAP, "binance convert; large otc trading", family="convert"),
    **_all(
        Kind.SWAP,
        """small assets exchange bnb; small assets exchange bnb (spot);
        small assets exchange; small assets exchange (spot)""",
        family="dust",
    ),
    **_all(Kind.SWAP, "stablecoins auto-conversion; busd auto-conversion", family="conversion"),
    # A token that gets another name goes by one operation and comes by another, perhaps later.
    **_all(
        Kind.SWAP,
        "token swap - redenomination/rebranding; token swap - distribution; asset recovery",
        family=RENAMING,
    ),
    **_all(Kind.SWAP, "auto-invest transaction", family="auto-invest"),
    **_all(
        Kind.SWAP,
        """eth 2.0 staking; eth 2.0 staking withdrawals; eth 2.0 staking withdrawal;
        wbeth2.0 - staking; sol staking - purchase""",
        family="staking",
    ),
    **_all(
        Kind.SWAP,
        """buy crypto; buy crypto with fiat; buy crypto with card; sell crypto to fiat;
        convert fiat to stablecoin paysafe""",
        family="fiat",
    ),
    **_all(Kind.SWAP, "rwusd - subscription; rwusd - redemption", family="rwusd"),
    **_all(
        Kind.SWAP,
        "leverage token purchase; leverage token redemption; leveraged coin consolidation",
        family="leverage token",
    ),
    # What is bought of another person brings coins, what is sold to one takes them away.
    **_all(Kind.DEPOSIT, "deposit; fiat deposit; deposit fiat; fiat ocbs - add fiat and fees"),
    **_all(Kind.DEPOSIT, "p2p trading"),
    **_all(
        Kind.WITHDRAWAL,
        """withdraw; fiat withdraw; fiat withdrawal; withdraw fiat; send; binance card spending;
        merchant acquiring""",
    ),
    **_all(
        Kind.INTERNAL,
        """simple earn flexible subscription; simple earn flexible redemption;
        simple earn locked subscription; simple earn locked redemption;
        savings purchase; savings principal redemption; pos savings purchase;
        pos savings redemption; staking purchase; staking redemption;
        locked staking purchase; locked staking redemption;
        dot slot auction staking; dot slot auction redemption;
        launchpool subscription/redemption; launchpool subscription; launchpool redemption;
        main and funding account transfer; transfer_in; transfer_out;
        transfer between wallets; transfer funds to spot; transfer funds to funding wallet;
        copy portfolio (spot) - create; copy portfolio (spot) - close;
        simple earn flexible - internal transfer""",
    ),
    **_all(
        Kind.REWARD,
        """simple earn flexible interest; simple earn flexible airdrop;
        simple earn flexible rewards; simple earn locked interest; simple earn locked rewards;
        savings interest; savings distribution; pos savings interest; staking rewards;
        locked staking rewards; eth 2.0 staking rewards; bnb vault rewards;
        launchpool interest; launchpool earnings withdrawal; super bnb mining;
        liquid swap rewards; liquidity farming rewards; swap farming rewards; pool distribution;
        dot slot auction rewards; campaign related reward; cash voucher;
        cash voucher distribution; cashback voucher; mission reward distribution;
        simple earn flexible - rewards income; simple earn locked - rewards income;
        rewards distribution; rwusd - distribution""",
    ),
    **_all(
        Kind.AIRDROP,
        """distribution; airdrop assets; launchpool airdrop;
        launchpool airdrop - system distribution; launchpool airdrop - user claim distribution;
        hodler airdrops distribution; megadrop rewards""",
    ),
    **_all(
        Kind.REBATE,
        """commission history; commission rebate; commission fee shared with you;
        referral commission; referral kickback; referrer rebates; referee rebates;
        referee commission; referrer commission; strategy trading fee rebate;
        futures referral rebate;
        card cashback; binance card cashback""",
    ),
    **_all(Kind.FINANCING, "margin interest; isolated margin interest; cross margin interest"),
    **_all(Kind.FUNDING, "funding fee"),
    **_all(Kind.MARGIN, "realized profit and loss; realize profit and loss; insurance fund"),
    **_all(Kind.MARGIN, "insurance fund compensation; insurance fund refund"),
    **_all(Kind.SWAP, "auto exchange; asset conversion transfer", family="exchange"),
    **_all(Kind.SWAP, "futures convert", family="exchange"),
    **_all(Kind.SWAP, "futures convert - from; futures convert - to", family="exchange"),
}
_FUTURES: Final = {"fee": _COMMISSION, "transaction fee": _COMMISSION}
_INCOME: Final = {
    "transfer": Meaning(Kind.INTERNAL),
    "cross_collateral_transfer": Meaning(Kind.INTERNAL),
    "strategy_umfutures_transfer": Meaning(Kind.INTERNAL),
    "realized_pnl": _SETTLED,
    "insurance_clear": _SETTLED,
    "delivered_settelment": _SETTLED,
    "delivered_settlement": _SETTLED,
    "commission": _COMMISSION,
    "funding_fee": Meaning(Kind.FUNDING),
    "referral_kickback": Meaning(Kind.REBATE),
    "commission_rebate": Meaning(Kind.REBATE),
    "api_rebate": Meaning(Kind.REBATE),
    "fee_return": Meaning(Kind.REBATE),
    "welcome_bonus": Meaning(Kind.REWARD),
    "contest_reward": Meaning(Kind.REWARD),
    "bfusd_reward": Meaning(Kind.REWARD),
    "position_limit_increase_fee": Meaning(Kind.FEE),
    "auto_exchange": _EXCHANGE,
    "coin_swap_deposit": _EXCHANGE,
    "coin_swap_withdraw": _EXCHANGE,
}
# What Simple Earn earns, as it stands in the wallet that earns it; where it is paid says it again.
_ACCRUED: Final = re.compile(r"simple earn (?:flexible|locked) - rewards income")
_TRANSFER: Final = re.compile(r"transfer between (?!.*\bsub\b).* (?:and|to) .*")


def is_told_again(name: str, where: str | None) -> bool:
    """Tell whether a row of the wallet `where` announces what another row, of spot, books."""
    return where == EARN and _ACCRUED.fullmatch(_said(name)) is not None


def operation(name: str, *, is_futures: bool) -> Meaning:
    """Say what an operation of the transaction history means, in a futures wallet or outside."""
    said = _said(name)
    if is_futures and said in _FUTURES:
        return _FUTURES[said]
    if _TRANSFER.fullmatch(said):
        return Meaning(Kind.INTERNAL)
    return _SPOT.get(said, UNKNOWN)


def income(name: str) -> Meaning:
    """Say what a type of the futures history means."""
    return _INCOME.get("_".join(name.casefold().split()), UNKNOWN)


def _said(name: str) -> str:
    return " ".join(name.casefold().split())
