"""Captions: SubRip and WebVTT in, plain WebVTT out; pure.

Whatever a file brings along (styles, regions, positions, scripts of other programs) is left behind: cues are times and
text with the few tags that WebVTT knows.
"""

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from media_pipeline.storyboard import clock

MOST_CUES = 20_000
LONGEST_CUE = 2000
TIMES = re.compile(
    r"(?:(?P<h1>\d{1,4}):)?(?P<m1>\d{1,2}):(?P<s1>\d{1,2})[.,](?P<f1>\d{1,3})\s*-->\s*"
    r"(?:(?P<h2>\d{1,4}):)?(?P<m2>\d{1,2}):(?P<s2>\d{1,2})[.,](?P<f2>\d{1,3})(?:\s.*)?"
)
TAG = re.compile(r"</?([a-zA-Z]+)[^<>]*>")
KEPT_TAGS = frozenset({"b", "i", "u"})
ASS_OVERRIDES = re.compile(r"\{\\[^{}]*\}")


class BadCaptions(Exception):
    """Why this text is no captions, as a sentence."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Cue:
    """`text` is WebVTT's cue text: escaped, with <b>, <i> and <u> at the most."""

    start_s: Fraction
    end_s: Fraction
    text: str


def parse_captions(text: str) -> tuple[Cue, ...]:
    """The cues of a SubRip or WebVTT file in order of time. Raises BadCaptions when there is none."""
    cues = []
    for block in blocks(text):
        cue = parse_block(block)
        if cue:
            cues.append(cue)
        if len(cues) > MOST_CUES:
            raise BadCaptions(f"The file has more than {MOST_CUES} captions.")
    if not cues:
        raise BadCaptions("No captions were found in this file; upload WebVTT (.vtt) or SubRip (.srt).")
    return tuple(sorted(cues, key=lambda cue: (cue.start_s, cue.end_s)))


def blocks(text: str) -> Iterator[list[str]]:
    """Runs of lines with nothing between them, without what cannot be shown."""
    lines = text.removeprefix("\ufeff").replace("\0", "").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    block: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            block.append(line.strip())
        elif block:
            yield block
            block = []


def parse_block(block: list[str]) -> Cue | None:
    """A cue: perhaps a number or a name, then the times, then what is said. None for notes, styles and empty cues."""
    for number, line in enumerate(block[:2]):
        if match := TIMES.fullmatch(line):
            start_s, end_s = seconds_of(match, "1"), seconds_of(match, "2")
            said = "\n".join(clean for part in block[number + 1 :] if (clean := cue_text(part)))[:LONGEST_CUE]
            return Cue(start_s, end_s, said) if said and end_s > start_s else None
    return None


def seconds_of(match: re.Match[str], side: str) -> Fraction:
    whole = int(match[f"h{side}"] or 0) * 3600 + int(match[f"m{side}"]) * 60 + int(match[f"s{side}"])
    return whole + Fraction(int(match[f"f{side}"].ljust(3, "0")), 1000)


def cue_text(line: str) -> str:
    """Bold, italics and underlining stay, every other tag goes, and `<`, `>` and `&` are said as such."""
    line = ASS_OVERRIDES.sub("", line)
    parts, at = [], 0
    for tag in TAG.finditer(line):
        parts.append(escaped(line[at : tag.start()]))
        if (name := tag[1].lower()) in KEPT_TAGS:
            parts.append(f"</{name}>" if tag[0].startswith("</") else f"<{name}>")
        at = tag.end()
    return "".join([*parts, escaped(line[at:])]).strip()


def escaped(text: str) -> str:
    return html.escape(html.unescape(text), quote=False)


def webvtt(cues: Iterable[Cue]) -> str:
    return "\n".join(["WEBVTT\n", *(f"{clock(cue.start_s)} --> {clock(cue.end_s)}\n{cue.text}\n" for cue in cues)])
