"""A YAML file as it was written: its values, and the line of each.

Every value stays text, for the setting to read: YAML would take `yes` for a number's 1, `010` for
eight, `1:30` for ninety, `NO` for no asset, and a float is not what was written. A key that stands
twice in one place is refused: nobody could see which of the two counts.

Errors: `Malformed`, naming file, line and field.
"""

from pathlib import Path
from typing import Final

import yaml

from bursar.errors import Malformed


class _TextLoader(yaml.SafeLoader):
    """Leaves everything as text but nothing (`~`) and what joins mappings (`<<`)."""


_MEANT: Final = {"tag:yaml.org,2002:null", "tag:yaml.org,2002:merge"}
_TextLoader.yaml_implicit_resolvers = {
    first: [(tag, match) for tag, match in rules if tag in _MEANT]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_CASELESS: Final = "portfolio"  # the section that the environment may tell of as well


def composed(path: Path) -> yaml.Node | None:
    """Read a file into its nodes; an empty one has none."""
    try:
        return yaml.compose(path.read_text(encoding="utf-8"), Loader=_TextLoader)
    except OSError as error:
        why = f"{path}: {error.strerror or error}"
        raise Malformed(why, file=str(path)) from None
    except UnicodeError:
        raise Malformed(f"{path}: this is no UTF-8 text", file=str(path)) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise _no_yaml(path, error) from None


def _no_yaml(path: Path, error: yaml.YAMLError | RecursionError) -> Malformed:
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if isinstance(mark, yaml.Mark) else None
    where = path.name if line is None else f"{path.name}, line {line}"
    said = "nested too deep" if isinstance(error, RecursionError) else error
    why = f"{where}: this is no YAML: {getattr(error, 'problem', said)}"
    return Malformed(why, file=str(path), line=line)


class Tree:
    """The values of a file, and where each stands."""

    def __init__(self, path: Path | None, root: yaml.Node | None) -> None:
        self._path = path
        self._root = root

    def value(self) -> dict[str, object]:
        """Return what the file says."""
        if self._root is None:
            return {}
        assert self._path is not None, "what was read has a name"
        try:
            self._require_once(self._root, ())
            said = _TextLoader("").construct_document(self._root)
        except (yaml.YAMLError, RecursionError) as error:
            raise _no_yaml(self._path, error) from None
        except ValueError as error:  # such as !!int x
            why = f"{self._path.name}: a value is not what it says it is: {error}"
            raise Malformed(why, file=str(self._path)) from None
        if not isinstance(said, dict):
            raise self.told((), "expected sections such as portfolio: and venues:")
        return {str(key): value for key, value in said.items()}

    def told(self, place: tuple[int | str, ...], said: str) -> Malformed:
        """Return the fault of a place in the file: what there is to say of it."""
        return self._fault(place, said, self._line(place))

    def _fault(self, place: tuple[int | str, ...], said: str, line: int | None) -> Malformed:
        field = ".".join(map(str, place))
        if self._path is None or line is None:
            where = f"the setting {field}"
        else:
            where = f"{self._path.name}, line {line}: {field}".rstrip(": ")
        return Malformed(
            f"{where}: {said}",
            file=None if self._path is None else str(self._path),
            line=line,
            field=field,
        )

    def _require_once(
        self, node: yaml.Node, place: tuple[int | str, ...], above: tuple[yaml.Node, ...] = ()
    ) -> None:
        if node in above:
            raise self._fault(place, "holds itself", node.start_mark.line + 1)
        if isinstance(node, yaml.SequenceNode):
            for number, each in enumerate(node.value):
                self._require_once(each, (*place, number), (*above, node))
        if not isinstance(node, yaml.MappingNode):
            return
        lines: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise self._fault(place, "expected a name in front of every colon", line)
            name = str(key.value)
            known = name.lower() if place[:1] == (_CASELESS,) else name
            if known in lines:
                said = f"stands on line {lines[known]} already"
                raise self._fault((*place, name), said, line)
            lines[known] = line
            self._require_once(value, (*place, name), (*above, node))

    def _line(self, place: tuple[int | str, ...]) -> int | None:
        node, line = self._root, None if place else 1
        for step in place:
            found = _child(node, step)
            if found is None:
                break
            node, line = found
        return line


def _child(node: yaml.Node | None, step: int | str) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return value, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        value = node.value[step]
        return value, value.start_mark.line + 1
    return None
