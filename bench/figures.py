"""What came out, beside what is asked of us (bench.md), and what falls short."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from bench.load import Run

MOST_MEMORY = 160
HEAD = (
    f"{'workload':<22}{'per second':>11}{'between':>18}{'asked':>8}{'CPU ms':>9}{'SQL':>5}"
    f"{'p95 ms':>9}{'p99 ms':>9}"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """The least rate in a second, the most statements, the most CPU milliseconds."""

    rate: int
    statements: int | None = None
    cpu: float | None = None


ASKED = {
    "W1 list": Asked(200, 4, 5.0),
    "W2 product": Asked(250, 5),
    "W3 search": Asked(120, 4),
    "W4a purchase": Asked(80, 30, 20.0),
    "W4b attempts": Asked(100),
}
# The default database has one writer.
ASKED_OF_SQLITE = {**ASKED, "W4a purchase": Asked(40, 30, 20.0), "W4b attempts": Asked(0)}


@dataclass(frozen=True, slots=True)
class Figure:
    """Of one workload over all rounds: the median rate and between what it lay; milliseconds;
    the most statements that any one of them sent."""

    name: str
    rate: float
    lowest: float
    highest: float
    p95: float
    p99: float
    cpu: float | None = None
    statements: int | None = None

    def line(self, asked: Asked | None) -> str:
        between = f"{self.lowest:.1f}–{self.highest:.1f}"
        least = f"≥ {asked.rate}" if asked and asked.rate else ""
        cpu = "" if self.cpu is None else f"{self.cpu:.2f}"
        sql = "" if self.statements is None else str(self.statements)
        return (
            f"{self.name:<22}{self.rate:>11.1f}{between:>18}{least:>8}{cpu:>9}{sql:>5}"
            f"{self.p95:>9.1f}{self.p99:>9.1f}"
        )

    def short_of(self, asked: Asked) -> list[str]:
        """What is asked and not reached, in words."""
        found = []
        if self.rate < asked.rate:
            found.append(f"{self.name}: {self.rate:.0f} in a second instead of {asked.rate}")
        if asked.statements is not None and (self.statements or 0) > asked.statements:
            found.append(f"{self.name}: {self.statements} statements instead of {asked.statements}")
        if asked.cpu is not None and (self.cpu or 0) > asked.cpu:
            found.append(f"{self.name}: {self.cpu:.1f} ms of CPU instead of {asked.cpu:.0f}")
        return found


def figure(name: str, runs: Sequence[Run], cpu: Sequence[float] = ()) -> Figure:
    """`cpu`: seconds that the server worked in each run."""
    rates = [run.rate for run in runs]
    return Figure(
        name=name,
        rate=statistics.median(rates),
        lowest=min(rates),
        highest=max(rates),
        p95=statistics.median(run.percentile(95) for run in runs),
        p99=statistics.median(run.percentile(99) for run in runs),
        cpu=sum(cpu) / sum(run.done for run in runs) * 1000 if cpu else None,
        statements=max(run.most_statements for run in runs) if cpu else None,
    )
