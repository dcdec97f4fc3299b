"""What is known of each programming language on this machine, as rows and as lines for a person."""

from collections.abc import Iterable

from pydantic import Field

from codeglot.config import StrictModel
from codeglot.records import Execution, Verdict


class LanguageRow(StrictModel):
    """What is known of one language on this machine."""

    id: str
    name: str
    version: str
    """First line that the toolchain says of itself; empty where it is missing."""
    problem: str
    """Why it cannot be used; empty where it can, as far as was tried."""
    probes: dict[Verdict, Execution] = Field(default_factory=dict)
    """What each probe ended as; empty where none was run."""
    warm: dict[Verdict, Execution] = Field(default_factory=dict)
    """What its good and its bad probe ended as with everything kept ready; empty where none was run."""
    level: str
    """Isolation level."""
    install: str
    """What a person would run to install all that it needs."""

    @property
    def wrong(self) -> dict[Verdict, Execution]:
        """Probes that ended as something else than they should."""
        ended = [*self.probes.items(), *self.warm.items()]
        return {probe: execution for probe, execution in ended if execution.verdict is not probe}

    @property
    def cold_s(self) -> float | None:
        """CPU seconds of a small program from nothing to its verdict; None where none was run."""
        good = self.probes.get(Verdict.PASS)
        return good.cpu_s if good else None

    @property
    def warm_s(self) -> float | None:
        """The same with everything kept ready; None where none was run."""
        good = self.warm.get(Verdict.PASS)
        return good.cpu_s if good else None

    @property
    def is_usable(self) -> bool:
        """Whether programs of this language can be judged here, as far as was tried."""
        return not self.problem and not self.wrong


def table(rows: Iterable[LanguageRow]) -> list[str]:
    """The rows as lines for a person, each followed by what is wrong with it."""
    lines = []
    for row in rows:
        state = f"{len(row.probes) - len(row.wrong)} of {len(row.probes)} probes" if row.probes else ""
        cold = f"{row.cold_s:.2f}" if row.cold_s is not None else ""
        warm = f" -> {row.warm_s:.3f}" if row.warm_s is not None else ""
        cost = f"{cold}{warm} CPU s" if cold else ""
        strategy = row.warm[Verdict.PASS].strategy if row.warm else ""
        lines.append(
            f"{row.id:<14}{row.version or 'missing':<44.43}{state:<16}{cost:<22}{row.level:<12}{strategy}".rstrip()
        )
        lines += [f"    the probe '{probe}' ended as '{end.verdict}': {end.detail}" for probe, end in row.wrong.items()]
        if row.problem:
            lines += [f"    {row.problem}", f"    by hand: {row.install}"]
    return lines
