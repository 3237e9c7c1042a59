"""What the tests look at on the page: scripts that run in it, pictures, audits."""

from pathlib import Path

from axe_playwright_python.sync_playwright import Axe

SCREENS = Path(__file__).parents[2] / "build" / "screens"
ALL = {"resultTypes": ["violations"]}
ALL_BUT_COLOURS = {**ALL, "rules": {"color-contrast": {"enabled": False}}}

# What has moved by itself: how much of the window, and what it was.
SHIFTS = """window.shifts = [];
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) {
    const what = each.sources.map(({ node }) => node?.className);
    if (!each.hadRecentInput) shifts.push([each.value, what]);
  }
}).observe({ type: "layout-shift", buffered: true });"""

# Figures that reach over the box they stand in.
CUT = """() => [...document.querySelectorAll(".equity, .card, .split div, .strategy, .bars li")]
  .filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.textContent)"""

# How late the page shows an event, in milliseconds: the least of several.
LATENESS = """() => new Promise((done) => {
  const rows = () => [...document.querySelectorAll("#feed li")];
  const late = [], known = new Set(rows().map((li) => li.dataset.id));
  const end = () => {
    watch.disconnect();
    clearTimeout(last);
    done(late.length ? Math.min(...late) : null);
  };
  const last = setTimeout(end, 15000);
  const watch = new MutationObserver(() => {
    for (const li of rows()) {
      if (known.has(li.dataset.id)) continue;
      known.add(li.dataset.id);
      late.push(Date.now() - Date.parse(li.querySelector("time").dateTime));
    }
    if (late.length && (Math.min(...late) < 1000 || late.length > 5)) end();
  });
  watch.observe(document.getElementById("feed"), { childList: true });
})"""

FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
# What every part of the page is called while there is no connection.
CALLED = """() => [...document.querySelectorAll(".equity .label, .card .label, .panel > h2")]
  .map((each) => getComputedStyle(each, "::after").content)"""
# Figures that do not open to what is behind them.
CLOSED = """() => [".card .figure", ".equity .figure", ".equity .under", ".worth", "td.num",
    ".sums dd", "#plan td:nth-child(2)", ".bars li", ".split > div", ".months li", ".sub.own",
    "#badges li"]
  .flatMap((name) => [...document.querySelectorAll(name)])
  .filter((each) => /\\d/.test(each.textContent) && !each.querySelector("button"))
  .map((each) => each.outerHTML)"""
# The flows that the curve marks: how much, and whether the mark points up.
FLOWS = """() => [...document.querySelectorAll("#curve path.flow")].map((each) =>
  [each.textContent.split("capital ")[1], each.getAttribute("d").endsWith("-8z")])"""
# How often the page draws from now on.
DRAWN = """() => {
  window.drawn = 0;
  new MutationObserver(() => { drawn += 1; })
    .observe(document.querySelector("#equity .figure"), { childList: true });
}"""


def picture(page, name):
    """Keep the whole page, panel under panel, for people to look at."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=SCREENS / f"{name}.png", full_page=True)


def pictures(page, name):
    """Keep each panel by itself."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    for each in page.query_selector_all(".hero, .panel"):
        panel = (each.get_attribute("aria-labelledby") or "hero").removesuffix("-title")
        each.screenshot(path=SCREENS / f"{name}-{panel}.png")


def painted(page):
    """How long the first paint took, in milliseconds; again where the machine had no time."""
    for _ in range(3):
        took = page.evaluate(FIRST_PAINT)
        yield took
        if took < 1000:
            return
        page.reload()
        page.wait_for_selector("body[data-state=live] #feed li[data-id]")


def serious(page, options):
    """What an accessibility engine finds that keeps somebody out."""
    found = Axe().run(page, options=options).response["violations"]
    return [
        (each["id"], [node["target"] for node in each["nodes"]])
        for each in found
        if each["impact"] in {"serious", "critical"}
    ]


def heap(page):
    """How many bytes the page holds, after what it does not hold is gone."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return int(used)
