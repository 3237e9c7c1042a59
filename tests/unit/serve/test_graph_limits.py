"""The size of a GraphQL operation is that of the operation with every fragment written out."""

# What is built here is known to be fields with numbers and fragments with names.
# mypy: disable-error-code="attr-defined"

from graphql import FieldNode, FragmentSpreadNode, OperationDefinitionNode, parse
from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.serve.graph.limits import READING, Size, _Measuring
from bursar.serve.graph.schema import PAGED

LEAF = st.sampled_from(["total_equity", "a: total_equity", "__typename"])
COUNT = 5


@st.composite
def documents(draw):
    """A query, and fragments that spread only later ones."""

    def selected(after, depth):
        kinds = [LEAF]
        if after < COUNT:
            kinds.append(st.integers(after, COUNT - 1).map("...f{}".format))
        told = draw(st.lists(st.one_of(kinds), min_size=1, max_size=3))
        if depth and draw(st.booleans()):
            opening = draw(
                st.sampled_from(["... {", "b: trades(limit: 7) {", "trades {", "fees {"])
            )
            told.append(f"{opening} {selected(after, depth - 1)} }}")
        return " ".join(told)

    fragments = [f"fragment f{n} on Query {{ {selected(n + 1, 2)} }}" for n in range(COUNT)]
    return f"{{ {selected(0, 2)} }} {' '.join(fragments)}"


def expanded(node, fragments, rows):
    """Every field that is really asked for: how deep it lies, whether it is aliased, its cost."""
    for each in node.selection_set.selections if node.selection_set else ():
        if isinstance(each, FieldNode):
            name = each.name.value
            limit = int(each.arguments[0].value.value) if each.arguments else PAGED.get(name, 1)
            yield 1, each.alias is not None, READING if rows is None else rows
            below = limit if rows is None else rows
            for depth, aliased, cost in expanded(each, fragments, below):
                yield depth + 1, aliased, cost
        else:
            is_spread = isinstance(each, FragmentSpreadNode)
            inner = fragments[each.name.value] if is_spread else each
            for depth, aliased, cost in expanded(inner, fragments, rows):
                yield depth + 1, aliased, cost


@settings(max_examples=60)
@given(documents())
def test_a_fragment_counts_wherever_it_is_named(text):
    document = parse(text)
    query, *rest = document.definitions
    assert isinstance(query, OperationDefinitionNode)
    found = list(expanded(query, {each.name.value: each for each in rest}, None))
    assert _Measuring(document, {}).of(query.selection_set, is_root=True) == Size(
        depth=max(depth for depth, _, _ in found),
        fields=len(found),
        aliases=sum(aliased for _, aliased, _ in found),
        cost=sum(cost for _, _, cost in found),
    )
