"""The types that are read, and the bytes that they come as."""

import codecs
import io
import zipfile

import pytest

from chunk_rules import assert_chunks
from files import docx, paragraph, pdf, table
from service import AssetService, Run


@pytest.fixture
def read(service: AssetService):
    """A file as an asset of its own, finished."""
    def made(name: str, content: str | bytes, status: str = "COMPLETED", **options) -> Run:
        run = service.begin_upload(name, content, **options)
        run.finish(status)
        return run
    return made


def joined(run: Run) -> str:
    [document] = run.documents()
    return "\n".join(chunk["content"] for chunk in run.chunks(document))


# Encodings.


TEXT = "Größe: 5 € – «naïve» Ω"
LATIN = "Größe: 5 € – «naïve»"


@pytest.mark.parametrize("content, charset, read_as", [
    (TEXT.encode(), None, TEXT), (codecs.BOM_UTF8 + TEXT.encode(), None, TEXT),
    (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), None, TEXT), (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), None, TEXT),
    (LATIN.encode("cp1252"), None, LATIN), (LATIN.encode("cp1252"), "windows-1252", LATIN),
    ("Größe".encode("latin-1"), "iso-8859-1", "Größe"), ("Ελληνικά".encode("iso-8859-7"), "ISO-8859-7", "Ελληνικά"),
    ("Привет".encode("koi8-r"), "koi8-r", "Привет"), ("日本語".encode("shift_jis"), "Shift_JIS", "日本語"),
    (codecs.BOM_UTF8 + TEXT.encode(), "iso-8859-1", TEXT), (TEXT.encode(), "no-such-charset", TEXT),
    (b"half \xc3", None, "half Ã"),
], ids=["utf-8", "bom-8", "bom-16-le", "bom-16-be", "1252", "1252-said", "latin-1", "greek", "koi8", "sjis", "bom-wins", "unknown", "broken"])
def test_text_is_decoded_by_mark_else_charset_else_utf_8_else_1252(read, content, charset, read_as):
    kind = f"text/plain; charset={charset}" if charset else "text/plain"
    run = read("a.txt", content, content_type=kind)
    assert run.text("a.txt") == read_as


@pytest.mark.parametrize("content", [b"a\x00b", b"\x00", b"text " * 1000 + b"\x00", b"\x89PNG\r\n\x1a\n\x00\x00"])
def test_text_with_nuls_is_unreadable(read, content):
    run = read("a.txt", content, "FAILED")
    [document] = run.documents()
    assert (document["status"], document["errorCode"]) == ("FAILED", "unreadable") and document["errorMessage"]


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.csv"])
def test_plain_files_are_their_own_text_but_for_line_ends(read, name):
    run = read(name, codecs.BOM_UTF8 + b"one,1\r\ntwo,2\rthree,3\n\n  \tfour  \n")
    assert run.chunks(name)[0]["startCharIdx"] == 0
    assert_chunks(run.chunks(name), 512, 64, "one,1\ntwo,2\nthree,3\n\n  \tfour  \n")


# HTML.


PAGE = """<!doctype html><html><head><title> The &amp; Title </title><style>.hidden { color: red }</style>
<script>var secretScript = 1;</script></head><body><!-- a secret comment --><h1>Main <em>head</em></h1>
<p>First&nbsp;paragraph with <b>bold</b>, <a href="x">a link</a> &amp; an &eacute;ntity&#33;</p>
<template><p>secret template</p></template><noscript>only without</noscript>
<h2>Second</h2><ul><li>Point one</li><li>Point two</li></ul><table><tr><td>cell a</td><td>cell b</td></tr></table>
<pre>keep
  this</pre><p>un<b>brok</b>en word<br>after break</p></body></html>"""


def test_html_is_its_visible_text(read):
    run = read("a.html", PAGE)
    text = joined(run)
    for seen in ("Main head", "bold", "a link & an éntity!", "Point one", "Point two", "cell a", "cell b", "unbroken word", "after break"):
        assert seen in text, seen
    for hidden in ("secret", "color: red", "var ", "<", "&amp;"):
        assert hidden not in text, hidden
    assert "Point onePoint" not in text and "cell acell" not in text and "wordafter" not in text


def test_headings_of_html_are_told_and_never_crossed(read):
    run = read("a.html", PAGE)
    chunks = run.chunks(run.documents()[0])
    [point] = [chunk for chunk in chunks if "Point one" in chunk["content"]]
    [first] = [chunk for chunk in chunks if "bold" in chunk["content"]]
    assert (first["headingPath"], point["headingPath"]) == ("Main head", "Main head > Second")
    assert_chunks(chunks, 512, 64)


def test_the_title_of_a_page_is_its_file_name(service, world):
    for path, title, name in [
        ("/titled/a.html", " The\n Title ", "The Title"), ("/titled/plain.html", "", "plain.html"), ("/titled/dir/", "", "dir"),
    ]:
        run = service.begin("website", {"url": world.site.page(path, "text", title=title), "maxPages": 1})
        run.until(lambda operation: operation["done"])
        assert run.documents()[0]["fileName"].strip("/") == name


@pytest.mark.parametrize("declared", [
    "<meta charset=iso-8859-7>", '<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-7">',
])
def test_a_page_may_declare_its_charset_itself(read, declared):
    octets = f"<html><head>{declared}<title>t</title></head><body>Ελληνικά</body></html>".encode("iso-8859-7")
    assert "Ελληνικά" in joined(read("a.html", octets))


@pytest.mark.parametrize("markup", [
    "<p>unclosed <b>tags <i>everywhere", "text only", "<html><body><p>x</body></html><p>after the end", "<p>a<p>b<p>c",
    "<div " + "a=b " * 20_000 + ">text</div>", "<b>" * 5_000 + "text", "<p>a < b & c > d</p>", "<!-- <p>x --><p>text",
    "<p>text</p><!-- never closed", "<![CDATA[ x ]]><p>text", "<svg><text>text</text></svg>", "\ufeff<p>text", "<p>\x01\x02text",
], ids=lambda markup: markup[:16])
def test_bad_html_is_read_as_far_as_it_goes(read, markup):
    run = read("a.html", markup)
    assert run.documents()[0]["status"] == "COMPLETED"


# PDF.


def test_a_pdf_is_told_page_by_page(read):
    run = read("a.pdf", pdf("Text of page one.\nIts second line, café.", "Text of page two.", "", "Text of page four."))
    chunks = run.chunks(run.documents()[0])
    assert_chunks(chunks, 512, 64)
    assert [chunk["pageNumber"] for chunk in chunks] == ["1", "2", "4"]
    assert "Its second line, café." in chunks[0]["content"] and "two" in chunks[1]["content"]
    assert all(chunk["headingPath"] is None for chunk in chunks)


def test_a_chunk_does_not_reach_across_a_page(read):
    lines = "\n".join(f"Line {number} of the page, some words." for number in range(30))
    config = {"Provider": "openai", "Model": "text-embedding-3-small", "ChunkSize": 64, "ChunkOverlap": 16}
    run = read("a.pdf", pdf(*[lines] * 3), payload={"Vectorize": True, "EmbeddingConfig": config})
    chunks = run.chunks(run.documents()[0])
    assert_chunks(chunks, 64, 16)
    assert [chunk["pageNumber"] for chunk in chunks] == sorted(chunk["pageNumber"] for chunk in chunks)
    for number in ("1", "2", "3"):
        page = [chunk["content"] for chunk in chunks if chunk["pageNumber"] == number]
        assert "Line 0 " in page[0] and "Line 29 " in page[-1]


@pytest.mark.parametrize("octets", [
    b"%PDF-1.4\nnonsense", b"no PDF at all", pdf("x")[:200], pdf("secret", encrypted=True), b"%PDF-1.4\n" + b"\xff" * 100_000,
    pdf("x").replace(b"/Kids [5 0 R]", b"/Kids [2 0 R]"),
], ids=["header", "text", "cut", "encrypted", "garbage", "loop"])
def test_a_broken_pdf_fails_itself_alone(service, read, octets):
    run = service.begin_upload("a.pdf", octets)
    run.until(lambda operation: operation["done"], within=60)
    [document] = run.documents()
    assert (document["status"], document["errorCode"]) in (("FAILED", "unreadable"), ("COMPLETED", None))
    assert document["status"] == "FAILED" or document["chunkCount"] == 0
    read("b.pdf", pdf("good"))


def test_an_encrypted_pdf_is_unreadable(read):
    run = read("a.pdf", pdf("secret", encrypted=True), "FAILED")
    assert run.documents()[0]["errorCode"] == "unreadable"


# DOCX.


def test_a_docx_is_its_paragraphs_and_tables(read):
    run = read("a.docx", docx(
        paragraph("Guide", heading=1), paragraph("First <text> & more."), paragraph("Install", heading=2),
        paragraph("Second text, Größe."), table(["cell a", "cell b"], ["cell c", "cell d"]), paragraph("Use", heading=1), paragraph("Third.")))
    chunks = run.chunks(run.documents()[0])
    assert_chunks(chunks, 512, 64)
    text = joined(run)
    for seen in ("First <text> & more.", "Second text, Größe.", "cell a", "cell d", "Third."):
        assert seen in text
    assert "cell acell" not in text
    found = {word: chunk["headingPath"] for chunk in chunks for word in ("First", "Second", "Third") if word in chunk["content"]}
    assert found == {"First": "Guide", "Second": "Guide > Install", "Third": "Use"}


def zipped(**parts: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, octets in parts.items():
            archive.writestr(name.replace("__", "/"), octets)
    return made.getvalue()


@pytest.mark.parametrize("octets", [
    b"PK\x03\x04 broken", b"no archive", docx(paragraph("x"))[:-30], zipped(a=b"x"), docx(document="<w:document>"), docx(document=""),
    docx(document="not xml at all"), zipped(word__document=b""),
], ids=["broken", "text", "cut", "other", "unclosed", "empty", "no-xml", "nothing"])
def test_a_broken_docx_is_unreadable(read, octets):
    run = read("a.docx", octets, "FAILED")
    assert run.documents()[0]["errorCode"] == "unreadable"


# Sizes.


def test_a_document_over_the_limit_is_too_large(another_service, world):
    service = another_service({"sources": {"maxDocumentBytes": 10_000}})
    folder = world.drive.folder()
    world.drive.add("large.txt", "x" * 10_001, folder)
    world.drive.add("fits.txt", "x" * 10_000, folder)
    run = service.begin_drive(folder)
    run.finish()
    large = run.document("large.txt")
    assert (large["status"], large["errorCode"]) == ("FAILED", "too_large")
    assert run.document("fits.txt")["status"] == "COMPLETED"


def test_a_file_of_a_type_that_is_not_read_is_no_document(service, world):
    folder = world.drive.folder()
    world.drive.add("photo.png", b"\x89PNG", folder)
    world.drive.add("a.txt", "text", folder)
    run = service.begin_drive(folder)
    run.finish()
    assert [document["fileName"] for document in run.documents() if document["status"] == "COMPLETED"] == ["a.txt"]
    assert not world.drive.reads(next(id for id, file in world.drive.files.items() if file.name == "photo.png" and file.parent == folder))


def test_50_megabytes_of_text_are_read(service):
    text = "A sentence of exactly fifty-two bytes, with its end.\n" * 900_000
    run = service.begin_upload("large.txt", text)
    operation = run.finish(within=300)
    assert run.view()["chunkCount"] == operation["chunkCount"] > len(text) / 2048
