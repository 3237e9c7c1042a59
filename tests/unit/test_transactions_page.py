"""What docs/TRANSACTIONS.md says is true: its Python runs, its document is read."""

import re
from decimal import Decimal
from pathlib import Path

from bursar.portfolio import transaction_file

PAGE = Path(__file__).parents[2] / "docs" / "TRANSACTIONS.md"


def block(language):
    return "".join(re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL))


def test_its_python_prints_what_it_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(block("python"), PAGE.name, "exec"), {})  # noqa: S102
    assert capsys.readouterr().out.splitlines() == re.findall(r"# (15\.00|True)", block("python"))


def test_its_document_is_one():
    told = transaction_file.read_text(block("json").encode())
    assert told.cash.delta == -1000
    assert told.mark_prices == {"BTC/USDT": Decimal(51000)}
