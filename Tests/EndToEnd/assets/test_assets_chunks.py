"""How text is cut: positions, sizes, borders, overlaps, headings."""

import random

import pytest

from chunk_rules import SPACE, assert_chunks, ends, tokens_of
from service import AssetService, Run

FAMILY = "👨‍👩‍👧‍👦"  # 7 scalars, 25 bytes, one grapheme


@pytest.fixture(scope="module")
def cut(shared_service: AssetService, shared_world):
    """The chunks of a text, as a file of that name has them."""
    token = shared_world.own_token()

    def run(text: str | bytes, size: int = 16, overlap: int = 0, name: str = "a.txt") -> list[dict]:
        folder = shared_world.drive.folder()
        shared_world.drive.add(name, text, folder)
        made = shared_service.begin_drive(folder, auth=token, embedding={"chunkSize": size, "chunkOverlap": overlap})
        made.finish()
        [document] = made.documents()
        return made.chunks(document)

    return run


def sentences(count: int, words: int = 5) -> str:
    return " ".join(f"Sentence {number} " + "has words " * words + "to end." for number in range(count))


PARAGRAPHS = "\n\n".join(f"Paragraph {number}, forty bytes of plain text." for number in range(12))
LINES = "\n".join(f"Line {number}, forty bytes of plain text here." for number in range(12))
TEXTS = {
    "empty lines": "\n\n\n  one \n\n\n\n two\t\n\n", "paragraphs": PARAGRAPHS, "lines": LINES, "sentences": sentences(12),
    "words": "word " * 300, "one word": "x" * 1000, "two words": "x" * 500 + " " + "y" * 500,
    "letters of three bytes": "漢字仮名交じり文。" * 60, "families": FAMILY * 60, "flags": "🇩🇪🇫🇷🇮🇹" * 40,
    "accents": "e\u0301o\u0308 " * 200, "hangul": "\u1112\u1161\u11ab\u1100\u1173\u11af" * 60, "crlf": "one\r\ntwo\r\n\r\nthree\rfour\r\r" * 20,
    "spaces that are none": "a\u200bb\u2060c\ufeffd " * 80, "other spaces": "one\u00a0two\u2003three\u2028four\u2029five\u0085six " * 30,
    "controls": "a\x01b\x1fc\x7fd\x1c\x1d " * 80, "combining first": "\u0301\u0301 a" * 100, "tabs": "a\tb\tc\n" * 100,
    "joined": "\u0915\u094d\u0937" * 150, "astral": "𝒜𝒷𝒸 " * 100, "thai": "ภาษาไทยไม่มีช่องว่าง" * 20, "one": "x",
}


@pytest.mark.parametrize("size, overlap", [(16, 0), (16, 7), (64, 31), (512, 64)])
@pytest.mark.parametrize("name", TEXTS)
def test_the_rules_hold_of_every_text(cut, name, size, overlap):
    text = TEXTS[name]
    extracted = text.replace("\r\n", "\n").replace("\r", "\n")
    assert_chunks(cut(text, size, overlap), size, overlap, extracted)


@pytest.mark.parametrize("seed", range(12))
def test_the_rules_hold_of_texts_made_by_chance(cut, seed):
    made = random.Random(seed)
    parts = ["a", "bc ", "\n", "\n\n", ". ", "é", "漢", "🎉", "  ", "Word", "\t", FAMILY, "! ", "-", "\u00a0", "# ", "1. ", "\r\n"]
    text = "".join(made.choice(parts) for _ in range(made.randrange(1, 3000)))
    size = made.choice([16, 17, 33, 100])
    overlap = made.randrange(0, (size + 1) // 2)
    assert_chunks(cut(text, size, overlap), size, overlap, text.replace("\r\n", "\n").replace("\r", "\n"))


def test_a_long_text_is_cut_by_the_same_rules(cut):
    text = "\n\n".join(sentences(5, number % 20) for number in range(2000))
    assert_chunks(cut(text, 512, 64), 512, 64, text)


def test_tokens_are_bytes_by_four_rounded_up(cut):
    for text in ("a", "abcd", "abcde", "é", "漢", "🎉", "🎉a"):
        assert [chunk["tokenCount"] for chunk in cut(text)] == [tokens_of(text)]


def test_a_text_that_fits_is_one_chunk(cut):
    text = "x" * 64
    [chunk] = cut(text)
    assert (chunk["content"], chunk["startCharIdx"], chunk["endCharIdx"]) == (text, 0, 64)
    assert (chunk["startLine"], chunk["endLine"], chunk["headingPath"], chunk["pageNumber"]) == (1, 1, None, None)
    assert len(cut("x" * 65)) == 2


# Borders.


def after(text: str, place: int) -> str:
    """The white space on both sides of a cut."""
    left, right = place, place
    while left > 0 and text[left - 1] in SPACE:
        left -= 1
    while right < len(text) and text[right] in SPACE:
        right += 1
    return text[left:right]


def test_chunks_end_at_paragraphs_where_they_can(cut):
    for size in (16, 30, 64):
        for place in ends(cut(PARAGRAPHS, size)):
            assert "\n\n" in after(PARAGRAPHS, place)


def test_else_at_lines(cut):
    for size in (16, 30, 64):
        for place in ends(cut(LINES, size)):
            assert "\n" in after(LINES, place)


def test_else_at_sentences(cut):
    text = sentences(12, 3)
    for place in ends(cut(text, 32)):
        assert text[:place].rstrip().endswith("."), text[:place][-20:]
    questions = "Is it so? It is! " * 30
    for place in ends(cut(questions, 16)):
        assert questions[:place].rstrip()[-1] in "?!"


def test_else_at_words(cut):
    text = "word another " * 100
    for place in ends(cut(text, 16)):
        assert after(text, place)


def test_and_only_then_within_a_word(cut):
    text = "x" * 1000
    chunks = cut(text, 16)
    assert len(chunks) == 16 and all(chunk["tokenCount"] == 16 for chunk in chunks[:-1])


def test_a_long_word_does_not_spoil_its_neighbours(cut):
    text = "Short one. " + "x" * 200 + " Short two."
    chunks = cut(text, 16)
    assert_chunks(chunks, 16, 0, text)


@pytest.mark.parametrize("grapheme", [FAMILY, "🇩🇪", "e\u0301", "\u1112\u1161\u11ab", "👍🏽", "\u0915\u094d\u0937", "\r\n"], ids=ascii)
def test_a_grapheme_is_never_cut(cut, grapheme):
    text = grapheme * 100 if grapheme != "\r\n" else "x" * 63 + "\r\n" + "y" * 63
    extracted = text.replace("\r\n", "\n")
    chunks = cut(text, 16)
    assert_chunks(chunks, 16, 0, extracted)
    if grapheme != "\r\n":
        assert all(place % len(grapheme) == 0 for place in ends(chunks))


def test_overlaps_are_there_where_there_is_room(cut):
    text = "word " * 400
    chunks = cut(text, 32, 15)
    assert all(chunks[n]["startCharIdx"] < chunks[n - 1]["endCharIdx"] for n in range(1, len(chunks)))
    assert_chunks(chunks, 32, 15, text)
    none = cut(text, 32, 0)
    assert all(none[n]["startCharIdx"] >= none[n - 1]["endCharIdx"] for n in range(1, len(none)))


# Headings.


MARKDOWN = """Before any heading.

# Guide

Text of the guide.

## Install

Text of install.

### On Linux ###

Text of linux.

## Use

Text of use.

Setext One
==========

Text of setext one.

Setext Two
----------

Text of setext two.

```
# no heading
Text of the fence.
```

    # no heading either

# Last
"""
PATHS = {
    "Before any heading.": None, "Text of the guide.": "Guide", "Text of install.": "Guide > Install",
    "Text of linux.": "Guide > Install > On Linux", "Text of use.": "Guide > Use", "Text of setext one.": "Setext One",
    "Text of setext two.": "Setext One > Setext Two", "Text of the fence.": "Setext One > Setext Two",
    "# no heading either": "Setext One > Setext Two",
}


def test_headings_of_markdown_are_told_and_never_crossed(cut):
    chunks = cut(MARKDOWN, 512, 64, "a.md")
    assert_chunks(chunks, 512, 64, MARKDOWN)
    for text, path in PATHS.items():
        [found] = [chunk for chunk in chunks if text in chunk["content"]]
        assert found["headingPath"] == path, text
        assert sum(other in found["content"] for other in PATHS) == sum(PATHS[other] == path for other in PATHS), found


def test_plain_text_has_no_headings(cut):
    [chunk] = cut("# Title\n\ntext", 512, 0, "a.txt")
    assert chunk["headingPath"] is None


def test_overlaps_do_not_reach_across_a_heading(cut):
    text = "# One\n\n" + "word " * 30 + "\n\n# Two\n\n" + "other " * 30
    chunks = cut(text, 16, 7, "a.md")
    assert_chunks(chunks, 16, 7, text)
    border = text.index("# Two")
    assert all(chunk["endCharIdx"] <= border or chunk["startCharIdx"] >= border for chunk in chunks)
    for chunk in chunks:
        assert chunk["headingPath"] == ("One" if chunk["endCharIdx"] <= border else "Two")


def test_a_heading_that_is_skipped_leaves_no_hole_in_the_path(cut):
    chunks = cut("# One\n\na\n\n### Three\n\nText of three.\n\n## Two\n\nText of two.", 512, 0, "a.md")
    paths = {chunk["content"].split("\n")[-1] or chunk["content"]: chunk["headingPath"] for chunk in chunks}
    [three] = [chunk for chunk in chunks if "Text of three." in chunk["content"]]
    [two] = [chunk for chunk in chunks if "Text of two." in chunk["content"]]
    assert (three["headingPath"], two["headingPath"]) == ("One > Three", "One > Two"), paths


# The whole.


def test_chunks_are_the_same_for_the_same_text(cut):
    text = sentences(40)
    def bare(chunks):
        return [{name: value for name, value in chunk.items() if name != "chunkId"} for chunk in chunks]
    assert bare(cut(text, 32, 8)) == bare(cut(text, 32, 8))


def test_the_answer_names_its_document(service):
    run: Run = service.begin_upload("a.txt", "text")
    run.finish()
    [document] = run.documents()
    page = service.get(f"/{run.asset}/documents/{document['id']}/chunks").json()
    assert (page["documentId"], page["totalChunks"]) == (document["id"], 1)
