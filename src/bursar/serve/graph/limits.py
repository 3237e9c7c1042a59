"""Limits: how much an operation may ask for, counted as if every fragment stood where it is named.

Measured before the document is validated, since what validates it also walks it. A fragment is
measured once and its size added where it is spread, so what would expand to a billion fields is
refused after a look at its few lines.

    depth     how far selections lie within selections, those of fragments included
    fields    how many there are
    aliases   how many of them go under another name
    cost      each field of `Query`, and what lies within it as often as it has rows (`limit`)

Errors: `OutOfBounds` for what is too much; `BadChoice` for a fragment that contains itself.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
)

from bursar.errors import BadChoice, OutOfBounds
from bursar.serve.graph.schema import PAGED

TOKENS_MAX: Final = 2_000
DEPTH_MAX: Final = 24
FIELDS_MAX: Final = 500
ALIASES_MAX: Final = 30
COST_MAX: Final = 20_000
ROWS_MAX: Final = 10_000
READING: Final = 1_000
"""What it costs to ask for a field of `Query` at all: 19 of them are the most."""
_PAGE_MAX: Final = 500


class Size(msgspec.Struct, frozen=True):
    """How much there is of something."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    cost: int = 0


_MOST: Final = {
    "depth": (DEPTH_MAX, "is nested over {} deep"),
    "fields": (FIELDS_MAX, "has over {} fields"),
    "aliases": (ALIASES_MAX, "has over {} aliases"),
    "cost": (COST_MAX, "costs over {}, with its fields counted for every row"),
}


def require_within(document: DocumentNode, variables: Mapping[str, object]) -> None:
    """Refuse a document of which any part is too much.

    Raises:
        OutOfBounds: naming what, and the limit.
        BadChoice: a fragment contains itself.
    """
    measuring = _Measuring(document, variables)
    for each in document.definitions:
        if isinstance(each, OperationDefinitionNode):
            found = measuring.of(each.selection_set, is_root=True)
        elif isinstance(each, FragmentDefinitionNode):
            found = measuring.fragment(each.name.value, is_root=False)
        else:
            continue
        for name, (most, words) in _MOST.items():
            if getattr(found, name) > most:
                raise OutOfBounds(
                    f"the operation {words.format(most)}, its fragments written out; ask for less"
                    " at once",
                    limit=name,
                    most=most,
                )


class _Measuring:
    """The fragments of a document, and what is known of their sizes; `None` while one is open."""

    def __init__(self, document: DocumentNode, variables: Mapping[str, object]) -> None:
        self._variables = variables
        self._known: dict[tuple[str, bool], Size | None] = {}
        self._fragments = {
            each.name.value: each
            for each in document.definitions
            if isinstance(each, FragmentDefinitionNode)
        }

    def of(self, held: SelectionSetNode | None, *, is_root: bool) -> Size:
        """Measure what lies between two braces."""
        whole = Size()
        for each in held.selections if held is not None else ():
            one = self._one(each, is_root=is_root)
            whole = Size(
                depth=max(whole.depth, one.depth),
                fields=whole.fields + one.fields,
                aliases=whole.aliases + one.aliases,
                cost=whole.cost + one.cost,
            )
        return whole

    def _one(self, node: SelectionNode, *, is_root: bool) -> Size:
        match node:
            case InlineFragmentNode():
                return _deeper(self.of(node.selection_set, is_root=is_root))
            case FragmentSpreadNode():
                return _deeper(self.fragment(node.name.value, is_root=is_root))
            case FieldNode():
                return self._field(node, is_root=is_root)
            case _:
                raise AssertionError(f"{node.kind} is nothing that is selected")

    def _field(self, node: FieldNode, *, is_root: bool) -> Size:
        within = self.of(node.selection_set, is_root=False)
        fields = within.fields + 1
        return Size(
            depth=within.depth + 1,
            fields=fields,
            aliases=within.aliases + (node.alias is not None),
            cost=READING + within.fields * self._rows(node) if is_root else 0,
        )

    def fragment(self, name: str, *, is_root: bool) -> Size:
        """Measure a fragment, once for each place that it can stand in."""
        here, definition = (name, is_root), self._fragments.get(name)
        if definition is None:
            return Size()  # validation says that there is none
        if here not in self._known:
            self._known[here] = None
            self._known[here] = self.of(definition.selection_set, is_root=is_root)
        found = self._known[here]
        if found is None:
            raise BadChoice(f"the fragment {name[:64]} contains itself", field="query")
        return found

    def _rows(self, node: FieldNode) -> int:
        """Return how many rows a field of `Query` may have."""
        usual = PAGED.get(node.name.value)
        if usual is None:
            return 1
        said = next(
            (each.value for each in node.arguments or () if each.name.value == "limit"), None
        )
        if isinstance(said, VariableNode):
            told = self._variables.get(said.name.value)  # it may have another usual value
            return told if isinstance(told, int) and 0 < told <= _PAGE_MAX else _PAGE_MAX
        if isinstance(said, IntValueNode):
            return max(1, int(said.value[:4]))
        return usual if said is None else _PAGE_MAX


def _deeper(size: Size) -> Size:
    return msgspec.structs.replace(size, depth=size.depth + 1)
