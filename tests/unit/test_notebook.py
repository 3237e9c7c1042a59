"""The quickstart notebook runs from top to bottom, and says what it says in the repository."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import bursar

NOTEBOOK = Path(__file__).parents[2] / "examples" / "quickstart.ipynb"
SOURCE = Path(bursar.__file__).resolve().parents[1]


def run():
    """The notebook, run in a kernel of its own."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    running = NotebookClient(notebook, timeout=120, kernel_name="python3")
    running.execute(env={**os.environ, "PYTHONPATH": str(SOURCE)})
    for cell in notebook.cells:
        cell.metadata.clear()
        for output in cell.get("outputs", ()):
            if "text/html" in output.get("data", {}):
                del output["data"]["text/plain"]
    notebook.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    return notebook


def said(notebook):
    """What the cells put out."""
    return [
        [output.get("text") or output["data"] for output in cell.outputs]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


@pytest.mark.slow("a kernel of its own, with polars in it")
def test_the_quickstart_says_what_is_written_in_it():
    assert said(run()) == said(nbformat.read(NOTEBOOK, as_version=4))


if __name__ == "__main__":
    nbformat.write(run(), NOTEBOOK)
