"""What docs/CAPITAL.md shows is so."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "CAPITAL.md"


CLASSES = (
    *("PortfolioAccounting", "CapitalAllocator", "CapitalPressure", "StrategyMemory"),
    *("DecisionMemory", "MetaStrategyBrain", "ProfitCapture", "IntraSessionCompounding"),
    *("SmartReinvestor", "ProfitTargetTracker", "PortfolioRebalancer"),
)


def test_every_example_holds_and_there_is_one_of_every_class():
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    used = {name for name in CLASSES if any(f"{name}(" in block for block in blocks)}
    assert used == set(CLASSES)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)  # noqa: S102  # our own page
