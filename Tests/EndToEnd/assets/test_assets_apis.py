"""Google Drive, GitHub and Notion: what is a document there, listed to the last page."""

import pytest

from broker import assert_problem
from drive import DOCS, SHEETS, SLIDES
from files import docx, paragraph
from notion import block
from server import Answer
from service import AssetService, Run


# Google Drive.


def drive(service: AssetService, world, status: str = "COMPLETED", **parameters) -> Run:
    run = service.begin("google_drive", parameters, auth=world.own_token())
    run.finish(status, within=40)
    return run


def test_a_folder_is_read_with_the_folders_in_it(service, world):
    folder = world.drive.folder()
    inner = world.drive.folder("Inner", world.drive.folder("Middle", folder))
    world.drive.add("a.txt", "outer", folder)
    world.drive.add("b.txt", "inner", inner)
    world.drive.add("c.txt", "elsewhere")
    assert drive(service, world, folderId=folder).names() == ["a.txt", "b.txt"]
    assert drive(service, world, folderId=folder, recursive=False).names() == ["a.txt"]


def test_without_a_folder_the_whole_drive_is_read(service, world):
    world.drive.files.clear()
    world.drive.add("top.txt", "top")
    world.drive.add("deep.txt", "deep", world.drive.folder())
    run = drive(service, world)
    assert run.names() == ["deep.txt", "top.txt"]


def test_folders_that_hold_each_other_are_read_once(service, world):
    one = world.drive.folder("One")
    two = world.drive.folder("Two", one)
    world.drive.files[one].parent = two
    world.drive.add("a.txt", "text", two)
    assert drive(service, world, folderId=one).names() == ["a.txt"]


def test_listings_are_read_to_their_last_page(service, world):
    folder = world.drive.folder()
    for number in range(23):
        world.drive.add(f"{number:02}.txt", f"text {number}", folder)
    world.drive.page_size = 4
    assert len(drive(service, world, folderId=folder).documents()) == 23


def test_supported_files_are_documents_and_others_are_not(service, world):
    folder = world.drive.folder()
    for name, content in [
        ("a.txt", "text"), ("b.md", "# text"), ("c.html", "<p>text"), ("d.csv", "a,b"), ("e.docx", docx(paragraph("text"))),
        ("f.png", b"\x89PNG"), ("g.zip", b"PK"),
    ]:
        world.drive.add(name, content, folder)
    assert drive(service, world, folderId=folder).names() == ["a.txt", "b.md", "c.html", "d.csv", "e.docx"]


def test_documents_of_googles_own_are_exported(service, world):
    folder = world.drive.folder()
    world.drive.add("Plan", parent=folder, kind=DOCS, markdown="# Plan\n\nWords", plain="Plan")
    world.drive.add("Sums", parent=folder, kind=SHEETS, csv="a,b\n1,2")
    world.drive.add("Talk", parent=folder, kind=SLIDES, plain="Slide one")
    run = drive(service, world, folderId=folder)
    found = {document["fileName"]: (document["contentType"], run.text(document)) for document in run.documents()}
    assert found == {
        "Plan": ("text/markdown", "# Plan\n\nWords"), "Sums": ("text/csv", "a,b\n1,2"), "Talk": ("text/plain", "Slide one")}


def test_a_document_that_exports_no_markdown_is_exported_as_text(service, world):
    folder = world.drive.folder()
    world.drive.add("Plan", parent=folder, kind=DOCS, plain="Plain words")
    assert drive(service, world, folderId=folder).text("Plan") == "Plain words"


def test_the_same_checksum_is_the_same_version_else_the_same_time(service, world):
    folder = world.drive.folder()
    file = world.drive.add("a.txt", "text", folder)
    docs = world.drive.add("Plan", parent=folder, kind=DOCS, markdown="# One")
    run = drive(service, world, folderId=folder)
    world.drive.touch(file)
    world.drive.forget()
    assert run.refresh().finish()["itemsSkipped"] == 2
    assert not world.drive.reads(file) and not world.drive.reads(docs)
    world.drive.files[docs].exports["text/markdown"] = b"# Two"
    world.drive.touch(docs)
    assert run.refresh().finish()["itemsSkipped"] == 1
    assert run.text("Plan") == "# Two"


def test_files_in_the_trash_are_none(service, world):
    folder = world.drive.folder()
    world.drive.files[world.drive.add("gone.txt", "text", folder)].trashed = True
    world.drive.add("here.txt", "text", folder)
    assert drive(service, world, folderId=folder).names() == ["here.txt"]


def test_files_of_one_name_are_documents_of_their_own(service, world):
    folder = world.drive.folder()
    for text in ("one", "two"):
        world.drive.add("same.txt", text, folder)
    run = drive(service, world, folderId=folder)
    assert sorted(run.text(document) for document in run.documents()) == ["one", "two"]


def test_an_id_with_quotes_leads_nowhere(service, world):
    run = service.begin("google_drive", {"folderId": "x' or 'root' in parents or 'y"}, auth=world.own_token())
    operation = run.until(lambda operation: operation["done"], within=40)
    assert operation["itemsTotal"] == 0


def test_a_file_that_may_not_be_read_fails_alone(service, world):
    folder = world.drive.folder()
    world.drive.add("good.txt", "text", folder)
    bad = world.drive.add("bad.txt", "text", folder)
    world.drive.always(f"/files/{bad}?", Answer(403, b'{"error": {"errors": [{"reason": "cannotDownloadFile"}]}}', "application/json"))
    run = drive(service, world, folderId=folder)
    assert (run.document("bad.txt")["status"], run.document("bad.txt")["errorCode"]) == ("FAILED", "source_rejected")
    assert len(world.drive.reads(bad)) == 1, "what does not mend is not tried again"


# GitHub.


def github(service: AssetService, world, status: str = "COMPLETED", **parameters) -> Run:
    run = service.begin("github", parameters, auth=world.own_token())
    run.finish(status, within=40)
    return run


FILES = {"README.md": "# Read me", "docs/a.md": "a", "docs/deep/b.txt": "b", "src/main.swift": "code", "logo.png": b"\x89PNG", "docs.md": "no folder"}


def test_blobs_of_supported_extensions_are_documents(service, world):
    repository = world.github.repository(FILES)
    run = github(service, world, repository=repository)
    assert len(run.documents()) == 4
    found = {document["fileName"].rpartition("/")[2]: document for document in run.documents()}
    assert set(found) == {"README.md", "a.md", "b.txt", "docs.md"}
    assert found["README.md"]["sourceUrl"] == f"https://github.com/{repository}/blob/main/README.md"
    assert run.text(found["README.md"]) == "# Read me" and found["b.txt"]["contentType"] == "text/plain"


def test_a_ref_and_a_path_choose(service, world):
    repository = world.github.repository(FILES, branch="trunk")
    world.github.commit(repository, {"only.md": "on the branch"}, "feature/x")
    assert len(github(service, world, repository=repository).documents()) == 4  # the default branch
    run = github(service, world, repository=repository, ref="feature/x")
    assert [run.text(document) for document in run.documents()] == ["on the branch"]
    for path in ("docs", "docs/", "/docs"):
        run = github(service, world, repository=repository, path=path)
        assert len(run.documents()) == 2, path


def test_the_same_blob_is_the_same_version(service, world):
    repository = world.github.repository({"a.md": "one", "b.md": "two"})
    run = github(service, world, repository=repository)
    world.github.commit(repository, {"a.md": "one", "b.md": "two changed", "c.md": "three"})
    world.github.forget()
    operation = run.refresh().finish()
    assert operation["itemsSkipped"] == 1 and len(world.github.calls_to("/git/blobs/")) == 2
    world.github.commit(repository, {"a.md": "one"})
    assert run.refresh().finish()["itemsRemoved"] == 2


def test_two_paths_of_one_blob_are_two_documents(service, world):
    repository = world.github.repository({"a.md": "same", "b.md": "same"})
    assert len(github(service, world, repository=repository).documents()) == 2


def test_a_truncated_tree_removes_nothing(service, world):
    repository = world.github.repository({"a.md": "one", "b.md": "two"})
    run = github(service, world, repository=repository)
    world.github.commit(repository, {"a.md": "one"})
    world.github.repositories[repository].truncated = True
    assert run.refresh().finish()["itemsRemoved"] == 0
    assert len(run.documents()) == 2


@pytest.mark.parametrize("parameters", [{"repository": "octo-org/missing"}, {"ref": "no-such-branch"}])
def test_what_is_not_there_is_rejected(service, world, parameters):
    parameters = {"repository": world.github.repository({"a.md": "a"})} | parameters
    run = github(service, world, "FAILED", **parameters)
    assert run.poll()["errorCode"] == "source_rejected"


@pytest.mark.parametrize("repository", ["name", "owner/", "/name", "a/b/c", "owner/..", "https://github.com/o/n", "o/n?x=1", "o/n#", "ö/n"])
def test_a_repository_is_an_owner_and_a_name(service, repository):
    assert_problem(service.create("github", {"repository": repository}), 400, "invalid_parameter")


def test_odd_paths_are_read(service, world):
    names = ["a b.md", "ü.md", "q?x=1.md", "h#1.md", "percent%20.md", "-dash.md"]
    repository = world.github.repository({name: f"text of {name}" for name in names})
    run = github(service, world, repository=repository)
    assert sorted(run.text(document) for document in run.documents()) == sorted(f"text of {name}" for name in names)


# Notion.


def notion(service: AssetService, world) -> Run:
    run = service.begin("notion", auth=world.own_token())
    run.finish(within=40)
    return run


def test_pages_are_documents_with_their_blocks_as_markdown(service, world):
    world.notion.pages.clear()
    page = world.notion.page(
        "Team Handbook", block("heading_1", "Start"), block("paragraph", "Some words."), block("heading_2", "Lists"),
        block("bulleted_list_item", "point", [block("bulleted_list_item", "inner point")]), block("numbered_list_item", "first"),
        block("to_do", "done", checked=True), block("quote", "quoted"), block("code", "print(1)", language="python"),
        block("divider"), block("toggle", "toggle", [block("paragraph", "inside")]), block("unsupported"), block("some_new_kind", "new"))
    run = notion(service, world)
    [document] = run.documents()
    assert (document["fileName"], document["contentType"]) == ("Team Handbook", "text/markdown")
    assert document["sourceUrl"].endswith(page.replace("-", ""))
    text = run.text(document)
    for line in ("# Start", "Some words.", "## Lists", "- point", "inner point", "1. first", "> quoted", "print(1)", "inside"):
        assert line in text, line
    paths = {chunk["headingPath"] for chunk in run.chunks(document)}
    assert {"Start", "Start > Lists"} <= paths


def test_searches_and_blocks_are_read_to_their_last_page(service, world):
    world.notion.pages.clear()
    world.notion.page_size = 2
    for number in range(5):
        world.notion.page(f"Page {number}", *[block("paragraph", f"part {part} of {number}") for part in range(5)])
    run = notion(service, world)
    assert run.names() == [f"Page {number}" for number in range(5)]
    assert all(f"part {part} of 3" in run.text("Page 3") for part in range(5))


def test_the_same_time_of_editing_is_the_same_version(service, world):
    world.notion.pages.clear()
    one, two = (world.notion.page(name, block("paragraph", name)) for name in ("One", "Two"))
    run = notion(service, world)
    world.notion.edit(two, block("paragraph", "edited"))
    world.notion.forget()
    assert run.refresh().finish()["itemsSkipped"] == 1
    assert not world.notion.reads(one) and "edited" in run.text("Two")
    del world.notion.pages[one]
    assert run.refresh().finish()["itemsRemoved"] == 1


def test_a_page_without_blocks_or_title_is_a_document(service, world):
    world.notion.pages.clear()
    world.notion.page("")
    run = notion(service, world)
    [document] = run.documents()
    assert document["status"] == "COMPLETED" and document["fileName"]


def test_blocks_without_bottom_end(service, world):
    """Deeper than anybody nests by hand."""
    world.notion.pages.clear()
    inner = block("paragraph", "bottom")
    for level in range(60):
        inner = block("toggle", f"level {level}", [inner])
    world.notion.page("Deep", inner)
    run = service.begin("notion", auth=world.own_token())
    operation = run.until(lambda operation: operation["done"], within=60)
    assert operation["status"] in ("COMPLETED", "FAILED")
