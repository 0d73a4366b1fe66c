"""A web page as text: what a person would read, links in brackets. Pure, bounded by its input."""

from html.parser import HTMLParser

SKIPPED = frozenset({"script", "style", "noscript", "template", "svg", "iframe", "head"})
BLOCKS = frozenset(
    {
        "p", "div", "br", "hr", "tr", "table", "ul", "ol", "dl", "dt", "dd", "pre", "form",
        "section", "article", "header", "footer", "main", "nav", "aside", "blockquote", "figure",
        "h1", "h2", "h3", "h4", "h5", "h6",
    }
)  # fmt: skip
LINK_MAX = 500


def page_text(html: str) -> str:
    """The title, then the text."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    title = " ".join("".join(reader.title).split())
    lines = (" ".join(line.split()) for line in "".join(reader.parts).splitlines())
    body = "\n".join(line for line in lines if line)
    return f"{title}\n\n{body}".strip() if title else body


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.title: list[str] = []
        self._skips: list[str] = []  # open elements whose text nobody reads
        self._is_title = False
        self._links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "title":
            self._is_title = True
        elif tag in SKIPPED:
            self._skips.append(tag)
        elif tag == "body":
            self._skips.clear()  # A head that nobody closed.
        elif tag in BLOCKS:
            self.parts.append("\n")
        elif tag == "li":
            self.parts.append("\n- ")
        elif tag in ("td", "th"):
            self.parts.append(" | ")
        elif tag == "a":
            self._links.append((dict(attrs).get("href") or "")[:LINK_MAX])

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._is_title = False
        elif tag in self._skips:
            del self._skips[self._skips.index(tag) :]
        elif tag == "a" and self._links:
            link = self._links.pop()
            if link.startswith(("http://", "https://")):
                self.parts.append(f" [{link}]")
        elif tag in BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if self._is_title:
            self.title.append(data)
        elif not self._skips:
            self.parts.append(data)
