"""The page reads the public file of 250,000 children, as large as a city's may become."""

import psutil
import pytest

from allocation.benchmark.synthetic import synthetic_market
from tests.engine.three_files import a_draw
from tests.support.chromium import open_context
from tests.support.verifier import served

pytestmark = [pytest.mark.browser, pytest.mark.long]

CHILDREN = 250_000
MOST_MEMORY = 1 << 30
"""Bytes that the page may need more than before: a phone of four gigabytes gives a page about one."""

CHECK = """async () => {
  const { verify } = await import('/verify.js');
  const blob = await (await fetch('/bundles/public.zip')).blob();
  const began = performance.now();
  const { steps, children, blocks, hidden } = await verify(blob, () => {});
  return { wrong: steps.filter(({ ok }) => !ok), children, blocks, hidden, bytes: blob.size, seconds: (performance.now() - began) / 1000 };
}"""


def memory_of(page) -> int:
    """Bytes of the largest process of Chromium, which is the page's after a check."""
    return max(each.memory_info().rss for each in psutil.Process().children(recursive=True) if "chrom" in each.name())


def test_drw03_the_page_reads_the_public_file_of_a_quarter_of_a_million_children(browser, tmp_path):
    draw = a_draw(synthetic_market(CHILDREN, units=True, pools=True, codes=True))
    (tmp_path / "public.zip").write_bytes(draw.public)
    with served(tmp_path) as address:
        context = open_context(browser, phone=False)
        page = context.new_page()
        page.set_default_timeout(0)
        page.goto(address)
        before = memory_of(page)
        found = page.evaluate(CHECK)
        needed = memory_of(page) - before
        context.close()
    print(f"\n{found['bytes'] / 1e6:.0f} MB: {found['seconds']:.1f} s, {needed / 1e6:.0f} MB of memory")
    assert (found["wrong"], found["children"]) == ([], CHILDREN)
    assert 0 < found["hidden"] < found["blocks"]
    assert needed < MOST_MEMORY
