"""The built site in a real browser: ``make docs-test``.

Every page is opened from a server on this machine, on a phone and on a wide screen, in light and dark. Whatever a
page asks of another
host is an error: formulas, fonts and scripts are to be the site's own.
"""

import functools
import http.server
import os
import shutil
import threading
from pathlib import Path

import pytest

sync_api = pytest.importorskip("playwright.sync_api")

SITE = Path(__file__).parent / "_build" / "html"
PAGES = sorted(page.relative_to(SITE).as_posix() for page in SITE.rglob("*.html"))
# Reference pages are made alike: some of them do.
PAGES = [page for page in PAGES if not page.startswith(("generated", "_static")) or "Dirty" in page or "make_" in page]
MAIN = [
    "index.html",
    "guide/index.html",
    "guide/families.html",
    "guide/families/clustered.html",
    "guide/mathematics.html",
    "api.html",
    "gallery/index.html",
]
SIZES = {"phone": (390, 800), "wide": (1280, 900)}
CASES = [(page, size, scheme) for page in PAGES for size, scheme in (("phone", "light"), ("wide", "dark"))]
CASES += [(page, size, scheme) for page in MAIN for size, scheme in (("phone", "dark"), ("wide", "light"))]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def address():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=SITE))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser():
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_api.sync_playwright() as playwright:
        # Root, in a container, has no sandbox.
        found = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"], timeout=120_000)
        yield found
        found.close()


@pytest.fixture
def visit(browser, address):
    """visit(page, size, scheme) -> (page, complaints), the latter a list that grows."""
    contexts = []

    def go(name, size="wide", scheme="light"):
        width, height = SIZES[size]
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        context.set_default_timeout(120_000)
        contexts.append(context)
        page, complaints = context.new_page(), []
        page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
        page.on("response", lambda r: complaints.append(f"{r.status}: {r.url}") if r.status >= 400 else None)
        page.on("request", lambda r: None if r.url.startswith((address, "data:")) else complaints.append(r.url))
        page.goto(address + name, wait_until="load")
        return page, complaints

    yield go
    for context in contexts:
        context.close()


FORMULAS = """async () => {
  const marked = [...document.querySelectorAll('span.math, div.math')];
  if (marked.length) await MathJax.startup.promise;
  return marked.filter(e => !e.querySelector('mjx-container') || e.querySelector('[data-mjx-error], merror'))
    .map(e => e.textContent.slice(0, 80));
}"""
PICTURES = """async () => {
  const images = [...document.images];
  images.forEach(i => { i.loading = 'eager'; });
  const bad = await Promise.all(images.map(i => i.decode().then(() => i.naturalWidth ? null : i.src, () => i.src)));
  return bad.filter(Boolean);
}"""


@pytest.mark.parametrize(("name", "size", "scheme"), CASES)
def test_page(visit, name, size, scheme):
    page, complaints = visit(name, size, scheme)
    assert page.evaluate(FORMULAS) == []
    assert page.evaluate(PICTURES) == []
    if size == "phone":
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES["phone"][0]
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    assert complaints == []
    if os.environ.get("SHOTS"):
        shot = f"{name.removesuffix('.html').replace('/', '_')}-{size}-{scheme}.png"
        page.screenshot(path=Path(os.environ["SHOTS"]) / shot, full_page=True, timeout=120_000)


@pytest.mark.parametrize("size", SIZES)
def test_search_finds(visit, size):
    page, complaints = visit("search.html?q=dirty", size)
    page.wait_for_selector("#search-results li a")
    assert any("dirty" in text.lower() for text in page.locator("#search-results li").all_inner_texts())
    assert complaints == []


def test_home_leads_to_everything(visit):
    page, complaints = visit("index.html")
    for text in ("Guide", "Gallery", "API"):
        page.locator("header").get_by_role("link", name=text, exact=True).first.click()
        page.wait_for_load_state("load")
        assert page.locator("h1").first.inner_text().startswith(text)
    assert complaints == []
