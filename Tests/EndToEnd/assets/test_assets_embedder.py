"""The embedder: what it is asked, what it may answer, and what its faults fail."""

import pytest

from embedder import KEY, tokens_of
from server import Answer, Hanging, Reset, as_json, busy
from service import MODEL, SMALL, AssetService, Run


@pytest.fixture
def drive_folder(world) -> str:
    made = world.drive.folder()
    for number in range(3):
        world.drive.add(f"{number}.txt", f"Text {number}.\n\n" * 3, made)
    return made


def embedded(service: AssetService, drive_folder: str, status: str = "COMPLETED", within: float = 60) -> Run:
    run = service.begin_drive(drive_folder, embedding=SMALL)
    run.finish(status, within)
    return run


def test_each_chunk_is_one_input_in_calls_of_at_most_64(service, world):
    drive_folder = world.drive.folder()
    world.drive.add("long.txt", "\n\n".join(f"Paragraph {number} of about forty-eight bytes of text." for number in range(200)), drive_folder)
    run = embedded(service, drive_folder)
    contents = [chunk["content"] for chunk in run.chunks("long.txt")]
    assert sorted(world.embedder.inputs) == sorted(contents) and len(contents) == 200
    for call in world.embedder.calls:
        assert call.method == "POST" and call.bearer == KEY
        assert call.headers["content-type"].startswith("application/json")
        assert call.json.keys() == {"model", "input", "encoding_format"}
        assert (call.json["model"], call.json["encoding_format"]) == (MODEL["model"], "float")
        assert 1 <= len(call.json["input"]) <= 64


def test_without_a_key_there_is_no_authorization(another_service, world, drive_folder):
    service = another_service()
    models = [{name: value for name, value in service.installation.settings["embedding"]["models"][0].items() if name != "apiKeyFile"}]
    service.process.terminate()
    assert service.wait() == 0
    service.installation.change(embedding={"models": models})
    service.start()
    run = service.begin_drive(drive_folder, embedding=SMALL)
    run.finish("FAILED")  # this embedder wants one
    assert all("authorization" not in call.headers for call in world.embedder.calls)


@pytest.mark.parametrize("fault", [lambda: busy(429), lambda: busy(429, retry_after="1"), lambda: busy(500), lambda: busy(503), Reset],
                         ids=["429", "retry-after", "500", "503", "reset"])
def test_what_passes_is_tried_again_and_paid_once(service, world, drive_folder, fault):
    world.embedder.next("/v1/embeddings", fault())
    run = embedded(service, drive_folder)
    operation = run.poll()
    assert operation["itemsFailed"] == 0
    contents = [chunk["content"] for document in run.documents() for chunk in run.chunks(document)]
    assert operation["tokenCount"] == sum(map(tokens_of, contents))


def test_after_all_tries_it_failed(service, world, drive_folder):
    world.embedder.always("/v1/embeddings", busy(503))
    run = embedded(service, drive_folder, "FAILED")
    assert run.poll()["errorCode"] in ("embedder_failed", "documents_failed")
    assert run.view()["vectorized"] is False and run.poll()["tokenCount"] == 0


def test_a_400_fails_the_document_alone(service, world, drive_folder):
    def answer(request):
        if any("Text 1." in text for text in request.json["input"]):
            return as_json({"error": {"message": "This model's maximum context length is 8191 tokens"}}, 400)
        return type(world.embedder).answer(world.embedder, request)
    world.embedder.answer = answer
    try:
        run = embedded(service, drive_folder)
    finally:
        del world.embedder.answer
    found = {document["fileName"]: (document["status"], document["errorCode"]) for document in run.documents()}
    assert found == {"0.txt": ("COMPLETED", None), "1.txt": ("FAILED", "embedder_failed"), "2.txt": ("COMPLETED", None)}
    assert run.poll()["errorCode"] == "documents_failed" and run.document("1.txt")["chunkCount"] == 0


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_of_us_fails_the_operation(service, world, drive_folder, status):
    world.embedder.always("/v1/embeddings", as_json({"error": {"message": f"no {KEY}"}}, status))
    run = embedded(service, drive_folder, "FAILED")
    operation = run.poll()
    assert operation["errorCode"] == "embedder_failed" and KEY not in operation["errorMessage"]
    assert len(world.embedder.calls) <= 4, "nobody is asked again"


@pytest.mark.parametrize("wrong", ["dimensions", "fewer"])
def test_a_vector_of_another_length_fails_the_operation(service, world, drive_folder, wrong):
    if wrong == "dimensions":
        world.embedder.made.dimensions += 1
    else:
        world.embedder.made.drop = 1
    run = embedded(service, drive_folder, "FAILED")
    assert run.poll()["errorCode"] in ({"dimensions": ("embedder_failed",), "fewer": ("embedder_failed", "documents_failed")}[wrong])
    assert run.poll()["tokenCount"] == 0 and run.view()["vectorized"] is False


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b'{"data": 5}', b'{"data": []}', b'{"data": [{"index": 0, "embedding": ["a"]}]}', b"[" * 50_000], ids=ascii)
def test_an_answer_that_is_none_fails_and_harms_nobody(service, world, drive_folder, body):
    world.embedder.always("/v1/embeddings", Answer(200, body, "application/json"))
    run = embedded(service, drive_folder, "FAILED")
    assert run.poll()["errorCode"] in ("embedder_failed", "documents_failed")
    world.embedder.usual()
    run.refresh().finish()
    assert run.view()["vectorized"] is True


def test_an_embedder_that_hangs_is_given_up(another_service, world, drive_folder):
    service = another_service({"sources": {"timeout": 1, "retry": {"attempts": 2, "base": 1, "max": 1}}})
    world.embedder.always("/v1/embeddings", Hanging())
    run = service.begin_drive(drive_folder, embedding=SMALL)
    run.until(lambda operation: len(world.embedder.calls) > 0)
    assert run.cancel().status_code == 200
    run.until(lambda operation: operation["done"], within=5)


def test_an_asset_is_vectorized_from_its_first_completed_operation_on(service, world, drive_folder):
    world.embedder.always("/v1/embeddings", as_json({}, 401))
    run = service.begin_drive(drive_folder, embedding=SMALL)
    run.finish("FAILED")
    assert run.view()["vectorized"] is False
    world.embedder.usual()
    run.refresh().finish()
    assert run.view()["vectorized"] is True
    world.embedder.always("/v1/embeddings", as_json({}, 401))
    run.refresh(force=True).finish("FAILED")
    assert run.view()["vectorized"] is True


def test_the_service_embeds_with_the_model_that_was_chosen(another_service, world, drive_folder):
    second = {"provider": "local", "model": "tiny", "url": f"{world.embedder.url}/v1/embeddings", "apiKeyFile": "openai.key",
              "dimensions": 8, "pricePerMillionTokens": 0, "description": "Ours"}
    service = another_service()
    models = [*service.installation.settings["embedding"]["models"], second]
    service.process.terminate()
    assert service.wait() == 0
    service.installation.change(embedding={"models": models})
    service.start()
    assert [item["model"] for item in service.get(":embeddingModels").json()["items"]] == [MODEL["model"], "tiny"]
    run = service.begin_drive(drive_folder, embedding={"provider": "local", "model": "tiny"})
    operation = run.until(lambda operation: operation["done"])
    assert operation["cost"] == 0 and {call.json["model"] for call in world.embedder.calls} == {"tiny"}
