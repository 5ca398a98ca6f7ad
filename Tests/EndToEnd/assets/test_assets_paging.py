"""Lists: pages, searches, and the two spellings of what is asked."""

import pytest

from broker import assert_problem
from service import AssetService, Run

COUNT = 7
TENANT = "paging"


@pytest.fixture(scope="module")
def listed(shared_service: AssetService, shared_world) -> Run:
    """An asset of seven documents of several chunks, with seven operations, among seven assets."""
    folder = shared_world.drive.folder()
    for number in range(COUNT):
        text = "\n\n".join(f"Paragraph {number}.{part}: some forty bytes of plain text." for part in range(COUNT))
        shared_world.drive.add(f"Report {number}.txt", text, folder)
    auth = shared_world.own_token()
    run = shared_service.begin_drive(folder, TENANT, name="The Drive", embedding={"chunkSize": 16, "chunkOverlap": 0}, auth=auth)
    run.finish()
    for _ in range(COUNT - 1):
        run.refresh().finish()
    for number in range(COUNT - 1):
        shared_service.begin_upload(f"Single {number}.txt", f"text {number}", tenant=TENANT).finish()
    return run


def lists(run: Run) -> dict[str, tuple[str, str]]:
    """Path, and the member that holds the items."""
    document = run.documents()[0]["id"]
    return {
        "assets": ("", "items"), "operations": (f"/{run.asset}/operations", "items"),
        "documents": (f"/{run.asset}/documents", "items"),
        "chunks": (f"/{run.asset}/documents/{document}/chunks", "chunks"),
    }


LISTS = ["assets", "operations", "documents", "chunks"]


def asked(run: Run, name: str, **query) -> dict:
    response = run.service.get(lists(run)[name][0], TENANT, **query)
    assert response.status_code == 200, response.text
    return response.json()


def ids(run: Run, name: str, **query) -> list[str]:
    return [item["chunkId" if name == "chunks" else "id"] for item in asked(run, name, **query)[lists(run)[name][1]]]


@pytest.mark.parametrize("name", LISTS)
def test_a_page_has_its_members(listed, name):
    members = {"documentId", "chunks", "totalChunks", "nextPageToken"} if name == "chunks" else {"items", "nextPageToken", "totalCount"}
    page = asked(listed, name)
    assert page.keys() == members
    assert page["nextPageToken"] is None
    assert page["totalChunks" if name == "chunks" else "totalCount"] == len(ids(listed, name)) >= COUNT


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("size", [1, 2, 3])
def test_pages_hold_each_item_once_in_the_order_of_the_whole(listed, name, size):
    whole, found, token = ids(listed, name), [], None
    while True:
        query = {"pageSize": size} | ({"pageToken": token} if token else {})
        page = asked(listed, name, **query)
        assert page["totalChunks" if name == "chunks" else "totalCount"] == len(whole)
        items = page[lists(listed)[name][1]]
        assert 0 < len(items) <= size
        found += [item.get("chunkId") or item["id"] for item in items]
        token = page["nextPageToken"]
        if token is None:
            break
    assert found == whole


@pytest.mark.parametrize("name", LISTS)
def test_names_are_read_without_regard_to_case_and_in_either_spelling(listed, name):
    whole = ids(listed, name)
    for size in ("pageSize", "PageSize", "pagesize", "PAGESIZE"):
        assert ids(listed, name, **{size: 2}) == whole[:2]
    token = asked(listed, name, pageSize=2)["nextPageToken"]
    for cursor in ("pageToken", "PageToken", "PageToken.Cursor", "pagetoken.cursor", "PAGETOKEN.CURSOR"):
        assert ids(listed, name, **{cursor: token, "pageSize": 2}) == whole[2:4]


@pytest.mark.parametrize("name", LISTS)
def test_skip_passes_over_that_many(listed, name):
    whole = ids(listed, name)
    for skip in ("PageToken.Skip", "pageToken.skip", "pagetoken.SKIP"):
        assert ids(listed, name, **{skip: 3, "pageSize": 2}) == whole[3:5]
    assert ids(listed, name, **{"PageToken.Skip": 0}) == whole
    beyond = asked(listed, name, **{"PageToken.Skip": 1000})
    assert beyond[lists(listed)[name][1]] == [] and beyond["nextPageToken"] is None
    assert beyond["totalChunks" if name == "chunks" else "totalCount"] == len(whole)


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("query", [
    {"pageSize": 0}, {"pageSize": -1}, {"pageSize": 1001}, {"pageSize": "ten"}, {"pageSize": "1.5"}, {"pageSize": ""},
    {"PageSize": 10 ** 30}, {"pageToken": "nonsense"}, {"PageToken.Cursor": "%00"}, {"pageToken": "x" * 5000},
    {"PageToken.Skip": -1}, {"PageToken.Skip": "x"}, {"PageToken.Skip": 10 ** 30},
], ids=str)
def test_a_bad_size_token_or_skip_is_400(listed, name, query):
    assert_problem(listed.service.get(lists(listed)[name][0], TENANT, **query), 400, "invalid_request")


@pytest.mark.parametrize("query", ["pageSize=1&pageSize=1", "pageSize=1&PageSize=2", "search=a&query=b", "search=a&search=a"])
def test_a_name_given_twice_is_400(listed, query):
    assert_problem(listed.service.call("GET", f"?{query}", TENANT), 400, "invalid_request")


def test_1000_is_the_largest_page(listed):
    assert len(ids(listed, "documents", pageSize=1000)) == COUNT


def test_100_is_the_page_unless_another_is_asked_for(service):
    text = "\n\n".join(f"Paragraph {number}, some forty bytes of plain text." for number in range(103))
    config = {"Provider": "openai", "Model": "text-embedding-3-small", "ChunkSize": 16, "ChunkOverlap": 0}
    run = service.begin_upload("long.txt", text, {"Vectorize": True, "EmbeddingConfig": config})
    run.finish()
    page = service.get(f"/{run.asset}/documents/{run.documents()[0]['id']}/chunks").json()
    assert (len(page["chunks"]), page["totalChunks"]) == (100, 103) and page["nextPageToken"]


def test_assets_and_operations_are_listed_newest_first_and_documents_oldest_first(listed):
    for name, newest_first in [("assets", True), ("operations", True), ("documents", False)]:
        times = [item["createdAt"] for item in asked(listed, name)["items"]]
        assert times == sorted(times, reverse=newest_first), name
    assert ids(listed, "operations")[-1] == listed.operation
    assert ids(listed, "assets")[-1] == listed.asset


def test_a_newer_operation_has_the_greater_time_of_change(listed):
    times = [item["updatedAt"] for item in asked(listed, "operations")["items"]]
    assert all(newer > older for newer, older in zip(times, times[1:]))


def test_chunks_are_listed_in_order(listed):
    assert [chunk["chunkIndex"] for chunk in asked(listed, "chunks")["chunks"]] == list(range(len(ids(listed, "chunks"))))


@pytest.mark.parametrize("name", ["search", "query", "Search", "QUERY"])
@pytest.mark.parametrize("text, found", [("drive", 1), ("THE DRIVE", 1), ("single", COUNT - 1), ("ingle 3", 1), ("zebra", 0), ("%", 0), ("_", 0)])
def test_assets_are_searched_by_name_in_any_case(listed, name, text, found):
    page = asked(listed, "assets", **{name: text})
    assert len(page["items"]) == page["totalCount"] == found


@pytest.mark.parametrize("name", ["search", "query"])
@pytest.mark.parametrize("text, found", [("report", COUNT), ("REPORT 4", 1), (".TXT", COUNT), ("zebra", 0), ("%", 0)])
def test_documents_are_searched_by_file_name_in_any_case(listed, name, text, found):
    page = asked(listed, "documents", **{name: text})
    assert len(page["items"]) == page["totalCount"] == found


def test_a_search_is_paged(listed):
    first = asked(listed, "documents", search="report", pageSize=4)
    second = asked(listed, "documents", search="report", pageSize=4, pageToken=first["nextPageToken"])
    assert (len(first["items"]), len(second["items"]), second["nextPageToken"]) == (4, COUNT - 4, None)


def test_letters_of_other_alphabets_are_searched_in_any_case(service):
    run = service.begin_upload("Größe ÄÖ Москва.txt", "text", tenant="letters")
    run.finish()
    for text in ("größe", "äö", "МОСКВА"):
        assert service.get("", "letters", search=text).json()["totalCount"] == 1
        assert len(run.documents(search=text)) == 1


def test_documents_are_an_empty_list_before_the_first_ingestion(service, world):
    folder = world.drive.folder()
    gate = world.drive.hold("/drive/v3/files")
    run = service.begin_drive(folder)
    page = service.get(f"/{run.asset}/documents")
    assert page.status_code == 200 and page.json() == {"items": [], "nextPageToken": None, "totalCount": 0}
    gate.open()
    run.finish()


def test_a_page_stays_true_while_newer_items_come(service):
    """The second page does not tell again what the first one told."""
    runs = [service.begin_upload(f"{number}.txt", "x", tenant="moving") for number in range(4)]
    first = service.get("", "moving", pageSize=2).json()
    service.begin_upload("newer.txt", "x", tenant="moving")
    second = service.get("", "moving", pageSize=2, pageToken=first["nextPageToken"]).json()
    assert [item["id"] for item in first["items"] + second["items"]] == [run.asset for run in reversed(runs)]
