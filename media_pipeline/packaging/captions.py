"""Captions: SubRip and WebVTT in, plain WebVTT out; pure.

Whatever a file brings along (styles, regions, positions, scripts of other programs) is left behind: cues are times and
text with the few tags that WebVTT knows.
"""

import codecs
import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from media_pipeline.planning.storyboard import webvtt_time

MAX_CUES = 20_000
MAX_CUE_LENGTH = 2000  # characters of the file, tags included
TIMES = re.compile(
    r"(?:(?P<h1>\d{1,4}):)?(?P<m1>\d{1,2}):(?P<s1>\d{1,2})[.,](?P<f1>\d{1,3})\s*-->\s*"
    r"(?:(?P<h2>\d{1,4}):)?(?P<m2>\d{1,2}):(?P<s2>\d{1,2})[.,](?P<f2>\d{1,3})(?:\s.*)?",
    re.ASCII,
)
# Possessive: a tag that is never closed costs its own length, not the square of it.
TAG = re.compile(r"</?([a-zA-Z]++)[^<>]*+>|<[0-9:.]++>")
KEPT_TAGS = frozenset({"b", "i", "u"})
CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
ASS_OVERRIDES = re.compile(r"\{\\[^{}]*+\}")
BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


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


def decode_captions(content: bytes) -> str:
    """As the byte order mark says, else UTF-8, else what Windows wrote before it (of which Latin-1 is a part)."""
    for mark, encoding in BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content.removeprefix(mark).decode(encoding, errors="replace")
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def parse_captions(text: str) -> tuple[Cue, ...]:
    """The cues of a SubRip or WebVTT file in order of time. Raises BadCaptions when there is none."""
    cues, has_times = [], False
    for times, said in timed_lines(text):
        has_times = True
        cue = make_cue(times, said)
        if cue:
            cues.append(cue)
        if len(cues) > MAX_CUES:
            raise BadCaptions(f"The file has more than {MAX_CUES} captions.")
    if not cues and has_times:
        raise BadCaptions("No caption of this file can be shown: each is empty, or ends before it begins.")
    if not cues:
        raise BadCaptions("No captions were found in this file; upload WebVTT (.vtt) or SubRip (.srt).")
    return tuple(sorted(cues, key=lambda cue: (cue.start_s, cue.end_s)))


def timed_lines(text: str) -> Iterator[tuple[re.Match[str], list[str]]]:
    """Each line of times with the lines of text behind it, up to the next empty one.

    Headers, notes, styles and names of cues have no times before them. Some files forget the empty line: then the
    next times end the text, and the number above them is none of it.
    """
    times: re.Match[str] | None = None
    said: list[str] = []
    for line in [*lines_of(text), ""]:
        match = TIMES.fullmatch(line) if "-->" in line else None
        if times and (match or not line):
            yield times, said[:-1] if match and said and said[-1].isdecimal() else said
            times = None
        if match:
            times, said = match, []
        elif line:
            said.append(line)


def lines_of(text: str) -> list[str]:
    """Without what cannot be shown and without the room around it."""
    text = text.removeprefix("\ufeff").replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    return [line.strip() for line in text.split("\n")]


def make_cue(times: re.Match[str], said: Iterable[str]) -> Cue | None:
    """None when nothing is said, or for no time."""
    start_s, end_s = seconds_of(times, "1"), seconds_of(times, "2")
    # Before anything is made of it: entities of thousands of digits are an error to Python.
    lines = "\n".join(said)[:MAX_CUE_LENGTH].split("\n")
    text = "\n".join(clean for line in lines if (clean := cue_text(line)))
    is_said = bool(TAG.sub("", text).strip())
    return Cue(start_s, end_s, text) if is_said and end_s > start_s else None


def seconds_of(match: re.Match[str], side: str) -> Fraction:
    whole = int(match[f"h{side}"] or 0) * 3600 + int(match[f"m{side}"]) * 60 + int(match[f"s{side}"])
    return whole + Fraction(int(match[f"f{side}"].ljust(3, "0")), 1000)


def cue_text(line: str) -> str:
    """Bold, italics and underlining stay, every other tag goes, and `<`, `>` and `&` are said as such."""
    line = ASS_OVERRIDES.sub("", line)
    parts, at = [], 0
    for tag in TAG.finditer(line):
        parts.append(escaped(line[at : tag.start()]))
        if (name := (tag[1] or "").lower()) in KEPT_TAGS:
            parts.append(f"</{name}>" if tag[0].startswith("</") else f"<{name}>")
        at = tag.end()
    return "".join([*parts, escaped(line[at:])]).strip()


def escaped(text: str) -> str:
    """Entities may stand for line breaks, which would end the cue."""
    return html.escape(CONTROLS.sub(" ", html.unescape(text)), quote=False)


def webvtt(cues: Iterable[Cue]) -> str:
    return "\n".join(
        ["WEBVTT\n", *(f"{webvtt_time(cue.start_s)} --> {webvtt_time(cue.end_s)}\n{cue.text}\n" for cue in cues)]
    )


def moved(cues: Iterable[Cue], by_s: Fraction) -> list[Cue]:
    """The same cues sooner (negative) or later; what would end before the film begins is left out."""
    later = [replace(cue, start_s=max(Fraction(0), cue.start_s + by_s), end_s=cue.end_s + by_s) for cue in cues]
    return [cue for cue in later if cue.end_s > 0]
