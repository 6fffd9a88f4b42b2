"""Captions: every upload becomes plain WebVTT, or is refused."""

import time
from fractions import Fraction

import pytest

from media_pipeline.packaging.caption_files import (
    MAX_CUE_LENGTH,
    MAX_CUES,
    BadCaptions,
    Cue,
    cue_text,
    decode_captions,
    parse_captions,
    webvtt,
)

SRT = """1
00:00:01,000 --> 00:00:02,500
Good morning.

2
00:01:02,04 --> 00:01:03,4
<i>Who</i> is there?
Nobody.
"""
VTT = """WEBVTT - with a title
Kind: captions

STYLE
::cue { background-image: url(http://example.com/) }

NOTE a note
of two lines

REGION
id:fred

opening
00:01.000 --> 00:02.500 align:start position:10% line:0
Good morning.

01:02:03.040 --> 01:02:03.400
<v Roger><c.loud>Who</c> is <00:01:00.500>there?</v>
"""
QUICK_S = 5


def cue_texts(text: str) -> list[str]:
    return [cue.text for cue in parse_captions(text)]


def test_subrip_becomes_cues() -> None:
    assert parse_captions(SRT) == (
        Cue(Fraction(1), Fraction(5, 2), "Good morning."),
        Cue(Fraction("62.04"), Fraction("63.4"), "<i>Who</i> is there?\nNobody."),
    )


def test_webvtt_loses_styles_notes_regions_settings_and_voices() -> None:
    assert parse_captions(VTT) == (
        Cue(Fraction(1), Fraction(5, 2), "Good morning."),
        Cue(Fraction("3723.04"), Fraction("3723.4"), "Who is there?"),
    )


def test_written_captions_are_read_back_unchanged() -> None:
    cues = parse_captions(SRT)
    text = webvtt(cues)

    assert text == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\nGood morning.\n\n"
        "00:01:02.040 --> 00:01:03.400\n<i>Who</i> is there?\nNobody.\n"
    )
    assert parse_captions(text) == cues


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_every_line_ending_is_accepted(ending: str, mark: str) -> None:
    assert cue_texts(mark + SRT.replace("\n", ending)) == cue_texts(SRT)


def test_cues_come_in_the_order_of_time() -> None:
    assert cue_texts("00:05.000 --> 00:06.000\nlater\n\n00:01.000 --> 00:02.000\nearlier") == ["earlier", "later"]


def test_a_file_without_empty_lines_is_understood() -> None:
    text = SRT.replace("\n\n", "\n")

    assert cue_texts(text) == cue_texts(SRT)
    assert cue_texts("WEBVTT\n00:01.000 --> 00:02.000\nIt was in\n1984\n\n") == ["It was in\n1984"]


@pytest.mark.parametrize(
    "block",
    [
        "1\n00:00:02,000 --> 00:00:01,000\nbackwards",
        "1\n00:00:01,000 --> 00:00:01,000\nno time",
        "1\n00:00:01,000 --> 00:00:02,000\n\n",
        "1\n00:00:01,000 --> 00:00:02,000\n<i></i>{\\an8}",
        "1\n00:00:01,000 -> 00:00:02,000\nno arrow",
        "1\n00:00:01 --> 00:00:02\nno thousandths",
        "1\n00:00:01,000 --> soon\nno end",
        "1\n٠٠:٠٠:٠١,٠٠٠ --> 00:00:02,000\nother digits",
    ],
)
def test_a_malformed_cue_is_left_out(block: str) -> None:
    assert cue_texts(f"{block}\n\n{SRT}") == cue_texts(SRT)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("<b>bold</b> <I>slanted</I> <u >under</u>", "<b>bold</b> <i>slanted</i> <u>under</u>"),
        ("<font color='red'>red</font>", "red"),
        ("<script>alert('x')</script>", "alert('x')"),
        ("<img src=x onerror=alert(1)>picture", "picture"),
        ("<i onclick='x'>slanted</i>", "<i>slanted</i>"),
        ("{\\an8}{\\pos(1,2)}above", "above"),
        ("{not an override}", "{not an override}"),
        ("I <3 you & 2 < 3 > 1", "I &lt;3 you &amp; 2 &lt; 3 &gt; 1"),
        ("AT&amp;T &lt;i&gt;", "AT&amp;T &lt;i&gt;"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("a&#10;&#13;&#10;00:00:01.000 --&gt; b", "a   00:00:01.000 --&gt; b"),
        ("a --> b", "a --&gt; b"),
        ("שלום \u200f!", "שלום \u200f!"),
        ("<", "&lt;"),
        ("</", "&lt;/"),
        ("<i", "&lt;i"),
    ],
)
def test_a_line_keeps_its_words_and_three_tags_only(line: str, text: str) -> None:
    assert cue_text(line) == text


@pytest.mark.parametrize(
    "content",
    [
        "Grüße – 你好 �".encode(),
        b"\xef\xbb\xbf" + "Grüße – 你好 �".encode(),
        b"\xff\xfe" + "Grüße – 你好 �".encode("utf-16-le"),
        b"\xfe\xff" + "Grüße – 你好 �".encode("utf-16-be"),
    ],
)
def test_unicode_is_read_in_each_encoding(content: bytes) -> None:
    assert decode_captions(content) == "Grüße – 你好 �"


def test_text_that_is_not_unicode_is_read_as_western_european() -> None:
    assert decode_captions("Grüße – “ça”".encode("cp1252")) == "Grüße – “ça”"
    assert decode_captions("Grüße".encode("latin-1")) == "Grüße"


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"\xfe\xff\xd8\x00\x00A", b"\x81\x8d", b"\xef\xbb\xbf\xff", b"\0" * 9]
)
def test_broken_text_decodes_to_text_that_can_be_written(content: bytes) -> None:
    decode_captions(content).encode()


@pytest.mark.parametrize(
    "text",
    ["", " \n\n", "WEBVTT", "WEBVTT\n\nNOTE nothing", "-->", "\0" * 1000, "[Script Info]\n"],
)
def test_a_file_without_captions_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(BadCaptions) as refused:
        parse_captions(text)
    assert refused.value.sentence == "No captions were found in this file; upload WebVTT (.vtt) or SubRip (.srt)."


@pytest.mark.parametrize(
    "lines", ["00:00:05,000 --> 00:00:02,000\nBack", "00:01.000 --> 00:02.000", "00:00:05,000 --> 00:00:06,000\n"]
)
def test_captions_that_cannot_be_shown_have_a_sentence_of_their_own(lines: str) -> None:
    with pytest.raises(BadCaptions, match="each is empty, or ends before it begins"):
        parse_captions(lines)


def test_the_maximum_number_of_cues_is_accepted_and_one_more_is_not() -> None:
    def cues(count: int) -> str:
        return "\n\n".join(f"00:00:{n % 60:02},000 --> 00:01:00,000\nline {n}" for n in range(count))

    assert len(parse_captions(cues(MAX_CUES))) == MAX_CUES
    with pytest.raises(BadCaptions, match="more than 20000 captions"):
        parse_captions(cues(MAX_CUES + 1))


def test_a_very_long_cue_is_cut_before_its_tags_are_read() -> None:
    (text,) = cue_texts("00:01.000 --> 00:02.000\n" + "&" * 10 * MAX_CUE_LENGTH)

    assert text == "&amp;" * MAX_CUE_LENGTH
    assert len(cue_texts("00:01.000 --> 00:02.000\n&#" + "1" * 10 * MAX_CUE_LENGTH)) == 1


HALF_A_MEGABYTE = 500_000


@pytest.mark.parametrize(
    "nasty",
    [
        "<" * HALF_A_MEGABYTE,
        "<a" * (HALF_A_MEGABYTE // 2),
        "<" + "a" * HALF_A_MEGABYTE,
        "</" + "a" * HALF_A_MEGABYTE,
        "<b " * (HALF_A_MEGABYTE // 3),
        "<0" + "0" * HALF_A_MEGABYTE,
        "{\\" * (HALF_A_MEGABYTE // 2),
        "{\\" + "x" * HALF_A_MEGABYTE,
        "&" * HALF_A_MEGABYTE,
        "\t " * (HALF_A_MEGABYTE // 2) + "x",
        "0" * HALF_A_MEGABYTE + "-->",
        "00:00:01.000" + " " * HALF_A_MEGABYTE + "-->",
        "00:00:01.000 --> 00:00:02.000" + " x" * (HALF_A_MEGABYTE // 2),
        "-->\n" * (HALF_A_MEGABYTE // 4),
        "1\n" * (HALF_A_MEGABYTE // 2),
        "00:00:01,000 --> 00:00:02,000\n" * (HALF_A_MEGABYTE // 30),
    ],
    ids=range(16),
)
def test_no_text_takes_long_to_read(nasty: str) -> None:
    began = time.process_time()
    cue_text(nasty)
    parse_captions(f"{nasty}\n\n{SRT}")
    parse_captions(f"{SRT}\n\n00:00:01.000 --> 00:00:02.000\n{nasty}")
    assert time.process_time() - began < QUICK_S
