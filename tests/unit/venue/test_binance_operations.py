"""What Binance's operations mean, under every name they have had, and those it will invent."""

import pytest

from bursar.ledger.entries import MovementKind as Kind
from bursar.venue.binance.operations import income, operation

SAID = {
    Kind.LEG: "Buy|Sell|Transaction Related|Transaction Buy|Transaction Spend|Transaction Sold"
    "|Transaction Revenue|Fee|Transaction Fee|BNB Fee Deduction|BNB deducts fee",
    Kind.SWAP: "Binance Convert|Large OTC trading|Small Assets Exchange BNB"
    "|Small assets exchange BNB|Small Assets Exchange BNB (Spot)|Stablecoins Auto-Conversion"
    "|Token Swap - Redenomination/Rebranding|Small Assets Exchange|ETH 2.0 Staking Withdrawals"
    "|Futures Convert|Futures Convert - From|Futures Convert - To|Leverage Token Redemption"
    "|Token Swap - Distribution|Asset Recovery|Auto-Invest Transaction"
    "|WBETH2.0 - Staking|SOL Staking - Purchase|Sell Crypto To Fiat"
    "|RWUSD - Subscription|RWUSD - Redemption|Convert Fiat to Stablecoin Paysafe",
    Kind.INTERNAL: "Simple Earn Flexible Subscription|Simple Earn Locked Redemption"
    "|POS savings purchase|transfer_in|Main and Funding Account Transfer"
    "|Transfer Between Spot Account and UM Futures Account"
    "|Transfer Between Main Account/Futures and Margin Account"
    "|Transfer Funds to Spot|Transfer Funds to Funding Wallet"
    "|Copy Portfolio (Spot) - Create|Copy Portfolio (Spot) - Close"
    "|Simple Earn Flexible - Internal Transfer"
    "|DOT Slot Auction Staking|DOT Slot Auction Redemption",
    Kind.REWARD: "Simple Earn Flexible Interest|Simple Earn Locked Rewards|POS savings interest"
    "|Super BNB Mining|Cash Voucher|Cashback Voucher|Pool Distribution|Campaign Related Reward"
    "|Rewards Distribution|RWUSD - Distribution",
    Kind.AIRDROP: "Distribution|Airdrop Assets|HODLer Airdrops Distribution"
    "|Launchpool Airdrop - System Distribution",
    Kind.REBATE: "Referral Kickback|Commission Rebate|Commission History|Referee rebates"
    "|Binance Card Cashback|Referee Commission|Referrer Commission|Strategy Trading Fee Rebate"
    "|Futures Referral Rebate",
    Kind.DEPOSIT: "Deposit|Fiat Deposit|Fiat OCBS - Add Fiat and Fees|P2P Trading",
    Kind.WITHDRAWAL: "Withdraw|Fiat Withdraw|Send|Binance Card Spending|Merchant Acquiring",
    Kind.FINANCING: "Margin Interest",
    Kind.FUNDING: "Funding Fee",
    Kind.MARGIN: "Realized Profit and Loss|Realize profit and loss|Insurance Fund"
    "|Insurance Fund Compensation",
    Kind.UNCLASSIFIED: "Something New|Sub-account Transfer|deposits"
    "|Crypto Box"
    "|Transfer Between Main Account and Sub Account|Transfer Between",
}
INCOME = {
    Kind.INTERNAL: "TRANSFER CROSS_COLLATERAL_TRANSFER STRATEGY_UMFUTURES_TRANSFER",
    Kind.MARGIN: "REALIZED_PNL COMMISSION INSURANCE_CLEAR DELIVERED_SETTELMENT",
    Kind.FUNDING: "FUNDING_FEE",
    Kind.REBATE: "REFERRAL_KICKBACK COMMISSION_REBATE API_REBATE FEE_RETURN",
    Kind.REWARD: "WELCOME_BONUS CONTEST_REWARD BFUSD_REWARD",
    Kind.FEE: "POSITION_LIMIT_INCREASE_FEE",
    Kind.SWAP: "AUTO_EXCHANGE COIN_SWAP_DEPOSIT COIN_SWAP_WITHDRAW",
    Kind.UNCLASSIFIED: "INTERNAL_TRANSFER OPTIONS_PREMIUM_FEE OPTIONS_SETTLE_PROFIT NEW_ONE",
}


@pytest.mark.parametrize(
    "name,kind", [(name, kind) for kind, names in SAID.items() for name in names.split("|")]
)
def test_an_operation(name, kind):
    for spelling in (name, name.upper(), f" {name}  "):
        assert operation(spelling, is_futures=False).kind is kind


@pytest.mark.parametrize(
    "name,kind", [(name, kind) for kind, names in INCOME.items() for name in names.split()]
)
def test_a_type_of_income(name, kind):
    assert income(name).kind is kind
    assert income(name.lower()).kind is kind


def test_fees_are_charges_of_what_their_wallet_does():
    for name in ("Fee", "Transaction Fee"):
        assert operation(name, is_futures=False).is_charge
        assert operation(name, is_futures=True).kind is Kind.MARGIN
        assert operation(name, is_futures=True).is_charge
    assert income("COMMISSION").is_charge
    assert not income("REALIZED_PNL").is_charge
    assert not operation("Deposit", is_futures=True).is_charge


def test_what_never_mixes_is_told_apart():
    families = {
        operation(name, is_futures=False).family
        for name in ("Buy", "Binance Convert", "Small Assets Exchange BNB")
    }
    assert len(families) == 3
    one, other = (operation(n, is_futures=False) for n in ("Large OTC trading", "Binance Convert"))
    assert one == other
    assert operation("Auto Exchange", is_futures=True) == income("AUTO_EXCHANGE")
