"""A server of embeddings that speaks OpenAI's protocol. It counts tokens in its own way, so that a test sees whose count is told."""

from dataclasses import dataclass

from server import Answer, Request, Server, as_json

DIMENSIONS = 8
KEY = "sk-embedder-51b2f0c9d7"
PRICE = 0.02  # per million tokens


def tokens_of(text: str) -> int:
    """Nobody else would count so."""
    return 3 * len(text.split()) + 1


@dataclass
class Vectors:
    """What is wrong with the vectors."""

    dimensions: int = DIMENSIONS
    usage: bool = True
    reverse: bool = True
    drop: int = 0


class Embedder(Server):
    def __init__(self, host: str = "127.0.0.1") -> None:
        self.made = Vectors()
        super().__init__(host)

    @property
    def inputs(self) -> list[str]:
        """All that was to be embedded, in the order in which it came."""
        return [text for call in self.calls_to("/v1/embeddings") for text in call.json["input"]]

    def restore(self) -> None:
        self.made = Vectors()
        self.usual()
        self.forget()

    def answer(self, request: Request) -> Answer:
        if (request.method, request.path) != ("POST", "/v1/embeddings"):
            return as_json({"error": {"message": "Unknown request URL"}}, 404)
        if request.bearer != KEY:
            return as_json({"error": {"message": "Incorrect API key provided"}}, 401)
        texts = request.json["input"]
        data = [
            {"object": "embedding", "index": index, "embedding": [float(len(text))] * self.made.dimensions}
            for index, text in enumerate(texts)]
        data = data[self.made.drop:]
        if self.made.reverse:
            data.reverse()  # `index` tells which is which
        total = sum(map(tokens_of, texts))
        usage = {"usage": {"prompt_tokens": total, "total_tokens": total}} if self.made.usage else {}
        return as_json({"object": "list", "data": data, "model": request.json["model"]} | usage)
