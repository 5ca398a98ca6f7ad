"""Small real files: PDF and DOCX as programs write them, and as nobody should."""

import io
import zipfile
import zlib
from html import escape

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


# PDF, ISO 32000-1.


def pdf(*pages: str, encrypted: bool = False, compressed: bool = True) -> bytes:
    """Pages of lines, in Helvetica. Encrypted: nobody has the password."""
    bodies = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    bodies.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
    kids = []
    for page in pages:
        content = _content(page)
        packed = zlib.compress(content) if compressed else content
        filtered = b" /Filter /FlateDecode" if compressed else b""
        bodies.append(b"<< /Length %d%s >>\nstream\n%s\nendstream" % (len(packed), filtered, packed))
        bodies.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % len(bodies))
        kids.append(b"%d 0 R" % len(bodies))
    bodies[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), b" ".join(kids))
    trailer = b"/Size %d /Root 1 0 R" % (len(bodies) + 1)
    if encrypted:
        trailer += b" /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>] /Encrypt " \
            b"<< /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >>" % (b"a1" * 32, b"b2" * 32)
    return _file(bodies, trailer)


def _content(page: str) -> bytes:
    shown = b" T* ".join(
        b"(" + line.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)") + b") Tj"
        for line in page.split("\n"))
    return b"BT /F1 11 Tf 14 TL 50 740 Td " + shown + b" ET"


def _file(bodies: list[bytes], trailer: bytes) -> bytes:
    made = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    places = []
    for number, body in enumerate(bodies, start=1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return made + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< %s >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(bodies) + 1, table, trailer, len(made))


# DOCX, ECMA-376.


def paragraph(text: str, heading: int = 0) -> str:
    style = f'<w:pPr><w:pStyle w:val="Heading{heading}"/></w:pPr>' if heading else ""
    return f'<w:p>{style}<w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>'


def table(*rows: list[str]) -> str:
    cells = ["".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) for row in rows]
    return "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in cells) + "</w:tbl>"


def docx(*content: str, document: str | None = None, extra: dict[str, bytes] = {}) -> bytes:
    """A document of paragraphs and tables; `document` in place of the whole part."""
    body = document if document is not None else (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:document {WORD}><w:body>{"".join(content)}'
        "<w:sectPr/></w:body></w:document>")
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="Heading{level}"><w:name w:val="heading {level}"/>'
        f'<w:pPr><w:outlineLvl w:val="{level - 1}"/></w:pPr></w:style>' for level in range(1, 7))
    parts = {
        "[Content_Types].xml": f'<?xml version="1.0" encoding="UTF-8"?><Types xmlns="{package}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/word/document.xml" ContentType="{DOCX}.main+xml"/></Types>',
        "_rels/.rels": f'<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="{package}/relationships">'
            f'<Relationship Id="rId1" Type="{office}/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/_rels/document.xml.rels": f'<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="{package}/relationships">'
            f'<Relationship Id="rId1" Type="{office}/styles" Target="styles.xml"/></Relationships>',
        "word/styles.xml": f'<?xml version="1.0" encoding="UTF-8"?><w:styles {WORD}>{styles}</w:styles>',
        "word/document.xml": body,
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
        for name, octets in extra.items():
            archive.writestr(name, octets)
    return made.getvalue()


# Bombs.


def zip_bomb(size: int = 1 << 30) -> bytes:
    """A DOCX of a megabyte whose document unpacks to a thousand times as much."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(docx(paragraph("x")))) as good, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as bad:
        for name in good.namelist():
            if name != "word/document.xml":
                bad.writestr(name, good.read(name))
        with bad.open("word/document.xml", "w", force_zip64=True) as part:
            part.write(f"<w:document {WORD}><w:body><w:p><w:r><w:t>".encode())
            block = b"a" * (1 << 20)
            for _ in range(size >> 20):
                part.write(block)
            part.write(b"</w:t></w:r></w:p></w:body></w:document>")
    return made.getvalue()


def entities(root: str, inside: str, levels: int = 9) -> str:
    """A document type that makes ten of each entity from the one before; `{lol}` in `inside` is the last."""
    made = ['<!ENTITY lol0 "lolololololololololololol">']
    made += [f'<!ENTITY lol{n} "{f"&lol{n - 1};" * 10}">' for n in range(1, levels + 1)]
    return f'<?xml version="1.0"?><!DOCTYPE {root} [{"".join(made)}]>{inside.replace("{lol}", f"&lol{levels};")}'


def reaching_out(root: str, inside: str, address: str) -> str:
    """A document type whose entity lies elsewhere."""
    return f'<?xml version="1.0"?><!DOCTYPE {root} [<!ENTITY out SYSTEM "{address}">]>{inside.replace("{out}", "&out;")}'
