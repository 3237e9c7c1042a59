"""Write the schemas of all events to docs/events/: `python -m tools.events`."""

from pathlib import Path

from bursar.events import schema

FOLDER = Path(__file__).parents[1] / "docs" / "events"
FILES = {"schema.json": schema.json_schema, "asyncapi.json": schema.async_api}


def main() -> None:
    """Write every file."""
    FOLDER.mkdir(exist_ok=True)
    for name, made in FILES.items():
        (FOLDER / name).write_text(schema.text(made()), encoding="utf-8")


if __name__ == "__main__":
    main()
