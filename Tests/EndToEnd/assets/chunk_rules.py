"""What holds of all chunks of a document, whatever its text; checked against the text where that is known."""

# Unicode's White_Space; Python's own idea has the separators of ASCII besides.
SPACE = set("\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000")
MEMBERS = {
    "chunkId", "chunkIndex", "content", "contextText", "headingPath", "pageNumber", "startCharIdx", "endCharIdx",
    "startLine", "endLine", "tokenCount",
}


def tokens_of(text: str) -> int:
    return -(-len(text.encode()) // 4)


def assert_chunks(chunks: list[dict], size: int, overlap: int, text: str | None = None) -> None:
    end = covered = 0
    assert len({chunk["chunkId"] for chunk in chunks}) == len(chunks)
    for index, chunk in enumerate(chunks):
        assert chunk.keys() == MEMBERS and chunk["chunkIndex"] == index and chunk["contextText"] is None, chunk
        content, start = chunk["content"], chunk["startCharIdx"]
        assert content and set(content) - SPACE, f"chunk {index} has nothing but space"
        assert chunk["endCharIdx"] == start + len(content), chunk
        assert chunk["tokenCount"] == tokens_of(content) <= size, chunk
        assert chunk["endCharIdx"] > end, f"chunk {index} adds nothing"
        if index:
            previous = chunks[index - 1]
            assert start > previous["startCharIdx"], chunk
            shared = content[:max(0, end - start)]
            assert previous["content"].endswith(shared) and tokens_of(shared) <= overlap, (previous, chunk)
        if text is not None:
            assert content == text[start:chunk["endCharIdx"]], f"chunk {index} is another piece"
            assert not set(text[covered:start]) - SPACE, f"nothing has {text[covered:start]!r}"
            assert chunk["startLine"] == 1 + text[:start].count("\n"), chunk
            assert chunk["endLine"] == 1 + text[:chunk["endCharIdx"] - 1].count("\n"), chunk
        assert 1 <= chunk["startLine"] <= chunk["endLine"], chunk
        covered, end = max(covered, chunk["endCharIdx"]), chunk["endCharIdx"]
    if text is not None:
        assert not set(text[covered:]) - SPACE, f"nothing has {text[covered:]!r}"


def ends(chunks: list[dict]) -> list[int]:
    """Where text was cut: the ends of all chunks but the last."""
    return [chunk["endCharIdx"] for chunk in chunks[:-1]]
