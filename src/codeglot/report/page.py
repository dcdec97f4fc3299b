"""The report as one HTML file that asks the network for nothing.

Whatever a model wrote is text here and never markup: `html.py` escapes it, `viewer.js` only sets `textContent`, and
the content security policy runs no script but ours, by its hash, and loads nothing.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib import resources

from codeglot.evaluate.taxonomy import ENDINGS
from codeglot.report.content import Block, Chart, Heading, Report, Section
from codeglot.report.html import Markup, element
from codeglot.report.source import Run
from codeglot.report.tables import Table, table_html
from codeglot.report.viewer import Packed, viewer_html

LIGHT, DARK = "#ffffff", "#15171c"
"""Page colors, which are also the color of letters on fills."""

_ASSETS = resources.files("codeglot.report") / "assets"


def render_page(report: Report, runs: Sequence[Run], packed: Packed, names: Mapping[str, str]) -> str:
    """Write the page."""
    programs = Section("programs", "Single programs", packed.notes)
    before = [section for section in report.sections if section.id not in {"method", "origin"}]
    after = [section for section in report.sections if section.id in {"method", "origin"}]
    parts: list[tuple[Section, Markup | None]] = [(section, None) for section in before]
    parts += [(programs, viewer_html(runs, packed, names)), *((section, None) for section in after)]
    return _document(report, parts, runs[0].environment.codeglot, Markup(_asset("viewer.js")))


def render_plain_page(report: Report, version: str) -> str:
    """Write a page without single programs; it needs no script, so none may run."""
    return _document(report, [(section, None) for section in report.sections], version, None)


def _document(
    report: Report, parts: Sequence[tuple[Section, Markup | None]], version: str, script: Markup | None
) -> str:
    style = Markup(_asset("report.css") + ending_colors())
    links = [element("a", section.title, href=f"#{section.id}") for section, _ in parts]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"codeglot: {report.title}"),
        element("style", style),
    )
    main = element(
        "main",
        element("h1", report.title),
        [element("p", text, class_="summary") for text in report.summary],
        element("ul", [element("li", text) for text in report.warnings], class_="warnings")
        if report.warnings
        else None,
        element("nav", links, aria_label="Parts of this page"),
        [_section(section, extra) for section, extra in parts],
    )
    body = element(
        "body",
        main,
        element("footer", f"Written by codeglot {version}."),
        element("script", script) if script is not None else None,
    )
    return "<!DOCTYPE html>\n" + element("html", head, body, lang="en") + "\n"


def _section(section: Section, extra: Markup | None = None) -> Markup:
    return element(
        "section", element("h2", section.title), [_block(block) for block in section.blocks], extra, id=section.id
    )


def _block(block: Block) -> Markup:
    if isinstance(block, Heading):
        return element("h3", block.text)
    if isinstance(block, Table):
        return table_html(block)
    return block.html if isinstance(block, Chart) else element("p", block)


def ending_colors() -> str:
    """Style rules for every ending, on light and on dark pages."""

    def rules(fills: Mapping[str, str], letters: str) -> str:
        return "".join(
            f".v-{name}{{fill:{fill};background:{fill}}}.on-{name}{{fill:{letters};color:{letters}}}"
            for name, fill in fills.items()
        )

    light = rules({str(verdict): ending.light for verdict, ending in ENDINGS.items()}, LIGHT)
    dark = rules({str(verdict): ending.dark for verdict, ending in ENDINGS.items()}, DARK)
    return f"{light}@media screen and (prefers-color-scheme:dark){{{dark}}}\n"


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


def _policy(style: str, script: str | None) -> str:
    """Nothing but this very style and script."""

    def source(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    scripts = f"script-src {source(script)}; " if script is not None else ""
    return f"default-src 'none'; style-src {source(style)}; {scripts}base-uri 'none'; form-action 'none'"
