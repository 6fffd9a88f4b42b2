"""Captions: SubRip and WebVTT in, plain WebVTT out; pure.

A cue is two times and text with the few tags that every player knows. Styles, regions, positions and other programs'
scripts are left out.
"""

import codecs
import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from media_pipeline.planning.storyboard import webvtt_time

MAX_CUES = 20_000
# Characters of one cue in the file, tags included.
MAX_CUE_LENGTH = 2000
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
    """Says in a sentence for people why this text cannot be used as captions."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Cue:
    """`text` is WebVTT's cue text: escaped, with no tags but <b>, <i> and <u>."""

    start_s: Fraction
    end_s: Fraction
    text: str


def decode_captions(content: bytes) -> str:
    """The text of a file in UTF-8 or UTF-16, or in Windows' older encoding of western Europe."""
    for mark, encoding in BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content.removeprefix(mark).decode(encoding, errors="replace")
    try:
        return content.decode()
    except UnicodeDecodeError:
        # cp1252 has every letter of Latin-1 at the same byte.
        return content.decode("cp1252", errors="replace")


def parse_captions(text: str) -> tuple[Cue, ...]:
    """The cues of a SubRip or WebVTT file in order of time. Raises BadCaptions when there are none, or too many."""
    cues, has_times = [], False
    for times, lines in timed_lines(text):
        has_times = True
        cue = make_cue(times, lines)
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
    """Each line of times with the lines of text below it, up to the next empty line.

    Headers, notes, styles and names of cues have no times above them, and so are left out.
    """
    text = text.removeprefix("\ufeff").replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    times: re.Match[str] | None = None
    lines: list[str] = []
    for line in [*(line.strip() for line in text.split("\n")), ""]:
        match = TIMES.fullmatch(line) if "-->" in line else None
        if times and (match or not line):
            # Some files forget the empty line: then the next times end the text, and the number above them is not part
            # of it.
            yield times, lines[:-1] if match and lines and lines[-1].isdecimal() else lines
            times = None
        if match:
            times, lines = match, []
        elif line:
            lines.append(line)


def make_cue(times: re.Match[str], lines: Iterable[str]) -> Cue | None:
    """None for a cue without text, or one that ends before it begins."""
    start_s, end_s = parse_time(times, "1"), parse_time(times, "2")
    # Cut before it is parsed: Python refuses entities of thousands of digits.
    lines = "\n".join(lines)[:MAX_CUE_LENGTH].split("\n")
    text = "\n".join(clean for line in lines if (clean := cue_text(line)))
    has_text = bool(TAG.sub("", text).strip())
    return Cue(start_s, end_s, text) if has_text and end_s > start_s else None


def parse_time(times: re.Match[str], side: str) -> Fraction:
    whole_s = int(times[f"h{side}"] or 0) * 3600 + int(times[f"m{side}"]) * 60 + int(times[f"s{side}"])
    # `.5` is half a second.
    return whole_s + Fraction(int(times[f"f{side}"].ljust(3, "0")), 1000)


def cue_text(line: str) -> str:
    """The line as WebVTT: bold, italics and underlining stay, every other tag goes, everything else is escaped."""

    def escape(text: str) -> str:
        # Entities may stand for line breaks, which would end the cue.
        return html.escape(CONTROLS.sub(" ", html.unescape(text)), quote=False)

    line = ASS_OVERRIDES.sub("", line)
    parts, at = [], 0
    for tag in TAG.finditer(line):
        parts.append(escape(line[at : tag.start()]))
        if (name := (tag[1] or "").lower()) in KEPT_TAGS:
            parts.append(f"</{name}>" if tag[0].startswith("</") else f"<{name}>")
        at = tag.end()
    return "".join([*parts, escape(line[at:])]).strip()


def webvtt(cues: Iterable[Cue]) -> str:
    return "\n".join(
        ["WEBVTT\n", *(f"{webvtt_time(cue.start_s)} --> {webvtt_time(cue.end_s)}\n{cue.text}\n" for cue in cues)]
    )


def shift_cues(cues: Iterable[Cue], shift_s: Fraction) -> list[Cue]:
    """The cues later by `shift_s` (earlier when it is negative), without those that then end before the film begins."""
    shifted = [replace(cue, start_s=max(Fraction(0), cue.start_s + shift_s), end_s=cue.end_s + shift_s) for cue in cues]
    return [cue for cue in shifted if cue.end_s > 0]
