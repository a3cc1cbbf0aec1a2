"""The README's and the docs' Python blocks run as written, page by page."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# The README shows the two ways to call fit before any data exists.
SHOWN_ONLY = "est.fit(X, Y)  "


def blocks(page):
    return [block for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.S) if SHOWN_ONLY not in block]


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=lambda page: page.stem)
def test_blocks_run(page, capsys):
    space = {"__name__": "page"}
    for i, block in enumerate(blocks(page)):
        exec(compile(block, f"<{page.name} {i}>", "exec"), space)
    assert "Traceback" not in capsys.readouterr().out


def test_no_block_is_left_out():
    """However it is indented or ended; but for the one that is shown only."""
    opened = sum(len(re.findall(r"(```|~~~) *\{?(python|py)\b", page.read_text())) for page in PAGES)
    assert opened == sum(len(blocks(page)) for page in PAGES) + 1


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#:]+\.md)[^)]*\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
