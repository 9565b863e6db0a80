"""The page: HTML that needs nothing beside it, and Markdown that says the same."""

import re

import pytest
from DiffuFuseMedLib.benchmark.page import Page, as_html, as_markdown, facts_of, write_page
from DiffuFuseMedLib.benchmark.parts import Missing, Picture, Table

PNG = b"\x89PNG\r\n\x1a\n"
PAGE = Page(
    "A suite",
    {"command": "diffufusemed benchmark <here>", "seeds": "0, 1"},
    (
        Table("Table 1", ("method", "Dice", "paper"), (("a|b <i>", "0.5", "0.9"),), ("A note.",), (2,)),
        Picture("Figure 2", "roc", PNG, "A curve.", ("Of voxels.",)),
        Missing("Table 5", "It is of another collection."),
    ),
)


@pytest.fixture
def written(tmp_path, page_of):
    files = write_page(PAGE, "sts", tmp_path)
    return files, page_of(tmp_path / "sts.html")


def test_the_page_needs_nothing_beside_it(written):
    _, page = written
    assert all(image["src"].startswith("data:image/png;base64,") for image in page.images) and len(page.images) == 1
    assert not [tag for tag, _ in page.tags if tag in ("script", "link", "iframe", "object")]
    assert not re.search(r"""(src|href|url\()\s*=?\s*["']?(https?:)?//""", page.source)
    policy = next(a["content"] for t, a in page.tags if t == "meta" and "http-equiv" in a)
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_the_page_tells_all_that_there_is(written):
    _, page = written
    for words in ("A suite", "diffufusemed benchmark <here>", "0, 1", "Table 1", "a|b <i>", "A note.", "Of voxels."):
        assert words in page.text
    assert "Not filled: It is of another collection." in page.text
    assert "Research use only: not a medical device" in page.text
    assert [a["alt"] for a in page.images] == ["A curve."]


def test_the_papers_column_looks_another_way(written):
    _, page = written
    cells = [a.get("class", "") for t, a in page.tags if t in ("td", "th") and "class" in a]
    assert cells.count("paper") == 2  # its head and one cell


def test_the_markdown_says_the_same_with_the_pictures_beside_it(written):
    files, _ = written
    text = files[1].read_text()
    assert "| a\\|b <i> | 0.5 | 0.9 |" in text and "| --- | --- | --- |" in text
    assert "![A curve.](figures/sts-roc.png)" in text
    assert (files[1].parent / "figures" / "sts-roc.png").read_bytes() == PNG
    assert "`diffufusemed benchmark <here>`" in text and "Not filled: It is of another collection." in text
    assert [path.name for path in files] == ["sts.html", "sts.md"]


def test_both_are_the_same_whoever_writes_them():
    assert as_html(PAGE) == as_html(PAGE)
    assert as_markdown(PAGE, "sts").endswith("\n")


def test_what_is_needed_to_run_it_again_is_told(results_of, a_request):
    request = a_request(minutes=2.0, cores=3, seeds=(0, 1))
    scores = {"ours": {"b": {"clean": {"dice": 0.5}}}}
    facts = facts_of(request, results_of(scores, request), "diffufusemed benchmark CASES")
    assert facts["command"] == "diffufusemed benchmark CASES"
    assert (facts["training"], facts["seeds"]) == ("2 minutes of 3 core(s) each, from scratch", "0, 1")
    assert (facts["samples"], facts["models"], facts["jobs"]) == ("1", "ours", "1")
    assert "cores, device cpu" in facts["machine"] and "torch" in facts["versions"] and facts["cases"] == "1: b"
    assert facts["held out"] == "fold 0 of split.json"
