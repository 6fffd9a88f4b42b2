"""Explains what is in a file, what is planned and why, what it will cost, and with which command; pure."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from textwrap import wrap
from typing import Any

from media_pipeline.planning.plan import EncodePlan, PlanSettings
from media_pipeline.report.estimate import Cost, Speed, estimate
from media_pipeline.report.facts import plan_facts, source_facts
from media_pipeline.report.number_text import bytes_text, seconds_text
from media_pipeline.report.plan_reasons import explain_decisions, explain_warnings
from media_pipeline.sources.source import Source

# The folder for the command's output, below the one in which it is run.
WORK = "work"
LABEL_WIDTH = 11
TEXT_WIDTH = 100


@dataclass(frozen=True)
class Explanation:
    """`found` and `planned` hold numbers for programs and, as `lines`, the same for people."""

    found: dict[str, Any]
    planned: dict[str, Any]
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    cost: Cost
    command: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {name: list(getattr(self, name)) for name in ("reasons", "warnings", "command")}


def explain(
    source: Source, plan: EncodePlan, settings: PlanSettings, *, size_bytes: int, speed: Speed, command: Sequence[str]
) -> Explanation:
    """`command` is the argument list that encodes the film."""
    return Explanation(
        found=source_facts(source, size_bytes),
        planned=plan_facts(plan),
        reasons=explain_decisions(source, plan, settings),
        warnings=explain_warnings(source, plan, settings),
        cost=estimate(plan, speed, source_bytes=size_bytes),
        command=tuple(command),
    )


def as_text(explained: Explanation, *, with_command: bool) -> str:
    """The explanation for a terminal. The command in it can be pasted into a shell."""
    cost = explained.cost
    sections = {
        "Found": labelled(explained.found["lines"]),
        "Planned": labelled(explained.planned["lines"]),
        "Why": bullets(explained.reasons or ["Nothing about it is out of the ordinary."]),
        "Warnings": bullets(explained.warnings),
        "Cost": [
            *labelled_line("Time", f"about {seconds_text(cost.seconds)}"),
            *labelled_line("Storage", f"about {bytes_text(cost.bytes)}, {bytes_text(cost.most_bytes)} at the most"),
            *bullets([cost.basis]),
        ],
        "Command": [f"mkdir -p {WORK}", shlex.join(explained.command)] if with_command else [],
    }
    return "\n\n".join("\n".join([name, *lines]) for name, lines in sections.items() if lines) + "\n"


def labelled(lines: Iterable[dict[str, str]]) -> list[str]:
    return [text for line in lines for text in labelled_line(line["label"], line["text"])]


def labelled_line(label: str, text: str) -> list[str]:
    first, *others = wrap(text, TEXT_WIDTH - LABEL_WIDTH) or [""]
    return [f"  {label:<{LABEL_WIDTH}}{first}", *(" " * (LABEL_WIDTH + 2) + line for line in others)]


def bullets(sentences: Iterable[str]) -> list[str]:
    return [
        line for one in sentences for line in wrap(one, TEXT_WIDTH, initial_indent="  - ", subsequent_indent="    ")
    ]
