"""The page of an experiment, from cells made by hand."""

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from codeglot import runs
from codeglot.evaluate.experiment import Comparison, Trial
from codeglot.jobs.changes import SPEED_ONLY
from codeglot.jobs.compare import compare
from codeglot.report.experiment import Material, build_experiment
from codeglot.report.experiment_words import ON_MICRO, at_the_edge, summary, warnings
from codeglot.report.markdown import render_markdown
from codeglot.report.page import render_plain_page
from codeglot.report.source import Run, read_run
from codeglot.report.tables import Table
from codeglot.train.metrics import MetricsRow
from tests.jobs.fake_cells import FakeCells, experiment
from tests.report.fake_runs import HOSTILE, NAMES
from tests.report.test_html import Reader
from tests.report.test_report import ALLOWED, skeleton

Golden = Callable[[str, str], None]
TUNE = {"grid": {"lora": {"optim.lr": [1e-4, 1e-3, 5.0]}, "java": {"optim.lr": [1e-4, 2e-3, 2e-4]}}, "seeds": [90]}


class Written:
    def __init__(self, out: Path) -> None:
        self.comparison: Comparison = compare(experiment(tune=TUNE), out, run_cell=FakeCells())
        cells = [
            cell.model_copy(update={"cpu_s": 12.5, "wall_s": 14.0}) for cell in self.comparison.cells
        ]  # what was measured differs from run to run
        self.comparison = self.comparison.model_copy(update={"cells": tuple(cells)})
        first = {cell.arm: cell.folder for cell in reversed(cells)}
        self.material = Material(
            runs=tuple(read_run(out / first[arm], arm) for arm in self.comparison.arms),
            metrics={
                cell.folder: runs.read_rows(out / cell.folder / runs.METRICS, MetricsRow)
                for cell in cells
                if cell.seed is not None
            },
            cpu_hours=0.25,
            is_micro=True,
            speed_only=SPEED_ONLY,
        )
        self.report = build_experiment(self.comparison, self.material, NAMES)
        self.page = render_plain_page(self.report, "0.1.0")
        self.markdown = render_markdown(self.report)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return Written(tmp_path_factory.mktemp("experiment"))


def test_the_markdown_is_the_recorded_one(written: Written, golden: Golden) -> None:
    golden("report/experiment.md", written.markdown)


def test_the_page_has_the_recorded_parts(written: Written, golden: Golden) -> None:
    golden("report/experiment.outline.txt", skeleton(written.page))


def test_the_page_asks_nothing_of_the_network_and_runs_no_script(written: Written) -> None:
    for tag, attributes in Reader(written.page).tags:
        assert tag in ALLOWED | {"polyline", "circle"}
        assert tag != "script"
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', written.page)
    assert policy is not None
    assert "default-src &#x27;none&#x27;" in policy[1]
    assert "script-src" not in policy[1]
    (style,) = re.findall(r"<style>(.*?)</style>", written.page, flags=re.DOTALL)
    assert f"sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}" in policy[1]


def test_every_drawing_says_itself_in_words_and_every_table_can_be_reached_by_keyboard(written: Written) -> None:
    tags = Reader(written.page).tags
    drawings = [attributes for tag, attributes in tags if tag == "svg" and attributes.get("role") == "img"]
    assert drawings
    assert all(attributes.get("aria-label") for attributes in drawings)
    regions = [attributes for _, attributes in tags if attributes.get("role") == "region"]
    assert len(regions) == len([tag for tag, _ in tags if tag == "table"])
    assert all(attributes.get("tabindex") == "0" for attributes in regions)


def test_links_lead_to_parts_of_the_page(written: Written) -> None:
    tags = Reader(written.page).tags
    ids = {attributes["id"] for _, attributes in tags if "id" in attributes}
    links = [str(attributes["href"]) for tag, attributes in tags if tag == "a"]
    assert len(links) == 9
    assert {link.removeprefix("#") for link in links} == ids


def test_every_seed_is_drawn_and_every_figure_stands_in_a_table(written: Written) -> None:
    rings = [1 for tag, attributes in Reader(written.page).tags if attributes.get("class") == "seed"]
    assert len(rings) == sum(len(figure.by_seed) for figure in written.comparison.figures) == 4 * (1 + 3 * 3)
    for cell in written.comparison.cells:
        assert cell.folder in written.markdown


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_stay_text(written: Written, text: str) -> None:
    figures = [figure.model_copy(update={"benchmark": text}) for figure in written.comparison.figures]
    changes = [change.model_copy(update={"benchmark": text}) for change in written.comparison.changes]
    hostile = written.comparison.model_copy(
        update={"figures": tuple(figures), "changes": tuple(changes), "transfer": (), "unfinished": (text,)}
    )
    report = build_experiment(hostile, written.material, {"java": text})
    page = render_plain_page(report, text)
    assert {tag for tag, _ in Reader(page).tags} <= ALLOWED | {"polyline", "circle"}
    assert "<script" not in page
    assert "<script" not in render_markdown(report).replace("\\<script", "")


def test_the_page_says_what_each_arm_changes_and_how_all_were_asked(written: Written) -> None:
    (section,) = (section for section in written.report.sections if section.id == "arms")
    table, decoding = section.blocks
    assert isinstance(table, Table)
    assert table.rows == (
        ("A: base (baseline)", "no training", "\u2013"),
        ("B: lora", "nothing", "optim.lr = 0.001"),
        ("C: java", "data.sources.0.languages = java", "optim.lr = 0.002"),
        ("D: same (control)", "methods.0.method = lora, methods.0.r = 1", "\u2013"),
    )
    assert "generate.temperature = 0.0" in str(decoding)


def test_an_arm_that_is_asked_in_another_way_is_warned_of_and_not_said_to_be_asked_alike(written: Written) -> None:
    first, *others = written.material.runs
    hot = replace(first, settings={**first.settings, "generate": {**first.settings["generate"], "temperature": 0.8}})
    slow = replace(
        first, settings={**first.settings, "evaluate": {**first.settings["evaluate"], "slots": 1, "data": "/here"}}
    )

    def told(run: Run) -> tuple[str, str]:
        report = build_experiment(written.comparison, written.material._replace(runs=(run, *others)), NAMES)
        return " ".join(report.warnings), str(report.sections[0].blocks)

    warned, said = told(hot)
    assert "The arms differ in generate.temperature, which is no training" in warned
    assert "temperature" not in said
    warned, said = told(slow)
    assert "The arms differ" not in warned
    assert "generate.temperature = 0.0" in said


@pytest.mark.parametrize(("adjusted_p", "is_said"), [(0.2, True), (0.04, False)])
def test_a_change_that_holms_correction_does_not_bear_out_is_said_so(
    written: Written, adjusted_p: float, is_said: bool
) -> None:
    changes = tuple(
        row.model_copy(update={"adjusted_p": adjusted_p}) if row.arm == "lora" else row
        for row in written.comparison.changes
    )
    (sentence,) = (
        text
        for text in summary(written.comparison.model_copy(update={"changes": changes}), NAMES)
        if text.startswith("lora is")
    )
    assert "lora is above the baseline on humaneval_x" in sentence
    assert ("by its interval, which Holm\u2019s correction does not bear out" in sentence) == is_said
    assert ("better by themselves" in sentence) == (not is_said)


def test_claims_stand_beside_their_controls(written: Written) -> None:
    sentences = summary(written.comparison, NAMES)
    claims = [text for text in sentences if text.startswith(("lora is", "java is"))]
    assert len(claims) == 2
    assert all("the controls: same" in text for text in claims)
    assert any(text.startswith("Control same is not told apart") for text in sentences)


def test_the_summary_says_who_gains_who_forgets_and_how_large_the_noise_is(written: Written) -> None:
    text = " ".join(summary(written.comparison, NAMES))
    assert "lora is above the baseline" in text
    assert "java, trained on 1 language" in text
    assert "loses on the other 2" in text
    assert "Noise floor" in text


def test_what_was_made_on_micro_is_said_to_be_about_micro(written: Written) -> None:
    assert ON_MICRO in written.report.summary
    elsewhere = build_experiment(written.comparison, written.material._replace(is_micro=False), NAMES)
    assert ON_MICRO not in elsewhere.summary


def test_gaps_single_seeds_and_missing_controls_are_warned_of(written: Written) -> None:
    cells = tuple(cell for cell in written.comparison.cells if cell.seed in {None, 0})
    few = written.comparison.model_copy(
        update={"cells": cells, "unfinished": ("lora/seed-1",), "controls": ("same", "shuffled")}
    )
    text = " ".join(warnings(few))
    assert all(part in text for part in ("lora/seed-1", "One seed only: lora, java, same", "shuffled"))
    assert warnings(written.comparison) == at_the_edge(written.comparison)


def test_a_value_chosen_at_the_edge_of_its_grid_is_warned_of_where_it_is_read(written: Written) -> None:
    """Of java 0.002 was the largest; of lora 0.001 lies between 0.0001 and one that broke off."""
    (sentence,) = at_the_edge(written.comparison)
    assert sentence.startswith("Chosen at the edge of its grid: java (optim.lr = 0.002, the largest of 3).")
    assert sentence in written.report.warnings
    (tuning,) = (section for section in written.report.sections if section.id == "tuning")
    assert tuning.blocks[0] == sentence


def test_with_two_keys_a_value_at_the_edge_must_beat_every_other_value_of_its_key(written: Written) -> None:
    """Of two keys, the value at the edge of one is compared with all trials that have another value of it."""
    pairs = [(rate, r) for rate in (1, 2, 3) for r in (4, 8, 16)]

    def told(means: Mapping[tuple[int, int], float]) -> str:
        trials = tuple(
            Trial(
                arm="lora",
                settings={"lr": pair[0], "r": pair[1]},
                by_seed=(),
                mean=means.get(pair, 0.1),
                is_chosen=pair == (1, 8),
            )
            for pair in pairs
        )
        return " ".join(at_the_edge(written.comparison.model_copy(update={"trials": trials})))

    assert "(lr = 1, the smallest of 3)" in told({(1, 8): 0.6, (1, 4): 0.6})
    assert told({(1, 8): 0.6, (2, 16): 0.6}) == ""


@pytest.mark.parametrize(
    ("values", "means", "chosen", "said"),
    [
        ([1, 2, 3], [0.6, 0.5, 0.4], 1, "optim.x = 1, the smallest of 3"),
        ([1, 2, 3], [0.5, 0.6, 0.4], 2, ""),
        ([1, 2, 3], [0.6, 0.6, 0.4], 1, ""),
        ([1, 2, 3], [0.0, None, None], 1, "optim.x = 1, the smallest of 3"),
        ([1, 2], [0.5, 0.6], 2, ""),
        ([1], [0.5], 1, ""),
        (["a", "b", "c"], [0.4, 0.5, 0.6], "c", ""),
        ([True, False], [0.6, 0.5], True, ""),
        ([None, 4, 8], [0.4, 0.6, 0.5], 4, ""),
        ([None, 4, 8, 16], [0.4, 0.6, 0.5, 0.5], 4, "the smallest of 3"),
    ],
)
def test_only_the_best_of_three_or_more_numbers_is_warned_of(
    written: Written, values: list[Any], means: list[float | None], chosen: object, said: str
) -> None:
    trials = tuple(
        Trial(arm="lora", settings={"optim.x": value}, by_seed=(), mean=mean, is_chosen=value is chosen)
        for value, mean in zip(values, means, strict=True)
    )
    text = " ".join(at_the_edge(written.comparison.model_copy(update={"trials": trials})))
    assert said in text
    assert bool(said) == bool(text)
