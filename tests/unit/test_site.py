"""The documentation: whole, up to date, without a link that leads nowhere."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from shutil import copy, copytree

from tools import pages

HOME = Path(__file__).parents[2]
DOCS = HOME / "docs"


def test_the_pages_that_follow_from_the_program_are_of_this_program():
    for name, made in pages.pages().items():
        assert (DOCS / name).read_text(encoding="utf-8") == made, "python -m tools.pages"


def test_every_page_has_its_place_on_the_site():
    told = tomllib.loads((HOME / "zensical.toml").read_text(encoding="utf-8"))
    named = re.findall(r"'([A-Za-z-]+\.md)'", str(told["project"]["nav"]))
    assert sorted(named) == sorted(path.name for path in DOCS.glob("*.md"))


def test_the_site_is_built_and_no_link_leads_nowhere(tmp_path):
    copy(HOME / "zensical.toml", tmp_path)
    copytree(DOCS, tmp_path / "docs")
    command = [str(Path(sys.executable).parent / "zensical"), "build", "--strict"]
    made = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout
    front = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|srcset)="https?://[^"]+', front), "no other host is asked"
    assert not re.findall(r'<link[^>]*href="https?://[^"]+', front)
