"""The texts by which players read a DASH result: a manifest of its whole length, and HLS over the same files; pure."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import count, pairwise
from xml.sax.saxutils import escape, quoteattr

from media_pipeline import layout
from media_pipeline.external.dash import DashResult, DashTrack, family
from media_pipeline.external.hls import Variant
from media_pipeline.external.mpd import NAMESPACE
from media_pipeline.packaging import playlists
from media_pipeline.packaging.playlists import AudioVariant, Segment, VideoVariant
from media_pipeline.sources.languages import UNDETERMINED, canonical_tag, language_name, parse_language

XML = '<?xml version="1.0" encoding="UTF-8"?>'
PROFILE = "urn:mpeg:dash:profile:isoff-main:2011"  # which has lists of segments
CHANNELS = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011"
ROLE = "urn:mpeg:dash:role:2011"
BUFFER_S = 4
FILE = re.compile(r'<(Initialization sourceURL|SegmentURL media)="([^"]*)"')


@dataclass(frozen=True)
class AdaptationSet:
    """Tracks between which a player may change at every cut."""

    kind: str
    language: str
    tracks: tuple[DashTrack, ...]

    @property
    def best(self) -> DashTrack:
        return max(self.tracks, key=lambda one: one.said.bandwidth)


def adaptation_sets(result: DashResult) -> list[AdaptationSet]:
    """Pictures that are cut at the same instants are one set, also where the manifest has each in one of its own.

    Soundtracks are one where the manifest has them so.
    """
    groups: dict[tuple[object, ...], list[DashTrack]] = {}
    for one in result.tracks:
        cuts = (Fraction(segment.decode_time - one.origin, one.init.timescale) for segment in one.segments)
        where = tuple(cuts) if one.init.kind == "video" else one.said.group
        language = track_language(one) if one.init.kind == "audio" else UNDETERMINED
        groups.setdefault((one.init.kind, family(one.codec), language, where), []).append(one)
    return [AdaptationSet(str(kind), str(language), tuple(found)) for (kind, _, language, _), found in groups.items()]


def track_language(one: DashTrack) -> str:
    """As the manifest has it, else the init segment."""
    said = canonical_tag(one.said.language)
    return said if said and parse_language(said) != UNDETERMINED else parse_language(one.init.language)


# --- HLS -------------------------------------------------------------------------------------------------------------


def hls_texts(result: DashResult) -> tuple[dict[str, str], list[Variant]]:
    """The master playlist and those that it names, by their names; and the qualities, lowest first."""
    videos = sorted(result.videos, key=lambda one: (min(picture_size(one)), one.said.bandwidth))
    names = list(distinct_names(f"{min(picture_size(one))}p" for one in videos))
    sounds = soundtracks(result)
    keys = ["", *distinct_names(one.language for one in sounds[1:])][: len(sounds)]  # the main one has none
    labels = distinct_names(map(sound_name, sounds))
    lines = playlists.variant_lines(
        [video_variant(name, one) for name, one in zip(names, videos, strict=True)],
        [audio_variant(key, one, label) for key, one, label in zip(keys, sounds, labels, strict=True)],
        is_independent=all(segment.starts_with_sync for one in videos for segment in one.segments),
    )
    texts = {layout.MASTER: playlists.join_lines(lines)}
    texts |= {layout.playlist_file(name): track_playlist(one) for name, one in zip(names, videos, strict=True)}
    texts |= {layout.audio_playlist_file(key): track_playlist(one.best) for key, one in zip(keys, sounds, strict=True)}
    return texts, [
        Variant(layout.playlist_file(name), *picture_size(one)) for name, one in zip(names, videos, strict=True)
    ]


def track_playlist(one: DashTrack) -> str:
    is_independent = all(segment.starts_with_sync for segment in one.segments)
    return playlists.files_playlist(one.said.init, one.files, hls_segments(one), is_independent=is_independent)


def hls_segments(one: DashTrack) -> tuple[Segment, ...]:
    pairs = zip(one.segments, one.durations, strict=True)
    return tuple(Segment(0, segment.size_bytes, Fraction(ticks, one.init.timescale)) for segment, ticks in pairs)


def video_variant(name: str, one: DashTrack) -> VideoVariant:
    return VideoVariant(name, *picture_size(one), frame_rate_of(one), one.codec, hls_segments(one))


def audio_variant(key: str, sound: AdaptationSet, name: str) -> AudioVariant:
    one = sound.best
    return AudioVariant(key, "", sound.language, name, one.codec, hls_segments(one), one.said.channels or 2)


def sound_name(sound: AdaptationSet) -> str:
    return sound.best.said.label or language_name(parse_language(sound.language)) or "Original"


def picture_size(one: DashTrack) -> tuple[int, int]:
    return one.init.width, one.init.height


def frame_rate_of(one: DashTrack) -> Fraction:
    """As the manifest says, else as many pictures as there are."""
    duration = sum(one.durations)
    return one.said.frame_rate or Fraction(sum(s.samples for s in one.segments) * one.init.timescale, duration)


def soundtracks(result: DashResult) -> list[AdaptationSet]:
    """The main one first. HLS offers those of one codec, as every quality names it."""
    found = [one for one in adaptation_sets(result) if one.kind == "audio"]
    found.sort(key=lambda one: (not one.best.codec.startswith("mp4a"), one.best.said.role != "main"))
    return [one for one in found if family(one.best.codec) == family(found[0].best.codec)]


def distinct_names(names: Iterable[str]) -> Iterator[str]:
    """Each name once: what comes again is followed by its number."""
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else f"{name}_{seen[name]}"


# --- DASH ------------------------------------------------------------------------------------------------------------


def manifest_text(result: DashResult) -> str:
    """Written anew from what was understood, so that nothing else reaches a player: no address elsewhere, no window.

    It has each segment by its name, so that its address can be signed, with times and durations as the segments have.
    """
    longest_s = max(Fraction(max(one.durations), one.init.timescale) for one in result.tracks)
    about = f'profiles="{PROFILE}" type="static" minBufferTime="PT{BUFFER_S}S"'
    lasts = (
        f'mediaPresentationDuration="PT{float(result.duration_s):.3f}S" maxSegmentDuration="PT{float(longest_s):.3f}S"'
    )
    lines = [XML, f'<MPD xmlns="{NAMESPACE}" {about} {lasts}>', '<Period id="0" start="PT0S">']
    identities = count()  # whole numbers: dash.js 5.2 fails on "0.1"
    for number, one in enumerate(adaptation_sets(result)):
        language = f" lang={quoteattr(one.language)}" if one.language != UNDETERMINED else ""
        about = f'id="{number}" contentType="{one.kind}"{language} segmentAlignment="true" startWithSAP="1"'
        role = one.best.said.role
        lines += [
            f"<AdaptationSet {about}>",
            *([f"<Label>{escape(one.best.said.label)}</Label>"] if one.best.said.label else []),
            *([f'<Role schemeIdUri="{ROLE}" value={quoteattr(role)}/>'] if role else []),
            *(line for track in one.tracks for line in representation_lines(next(identities), track, result.start_s)),
            "</AdaptationSet>",
        ]
    return playlists.join_lines([*lines, "</Period>", "</MPD>"])


def representation_lines(identity: int, one: DashTrack, zero_s: Fraction) -> Iterator[str]:
    peak = playlists.peak_bps(hls_segments(one))
    about = f'id="{identity}" mimeType="{one.init.kind}/mp4" codecs={quoteattr(one.codec)} bandwidth="{peak}"'
    if one.init.kind == "video":
        rate, (width, height) = frame_rate_of(one), picture_size(one)
        about += f' width="{width}" height="{height}" frameRate="{rate.numerator}/{rate.denominator}"'
    yield f"<Representation {about}>"
    if one.said.channels:
        yield f'<AudioChannelConfiguration schemeIdUri="{CHANNELS}" value="{one.said.channels}"/>'
    yield f'<SegmentList timescale="{one.init.timescale}">'
    yield f'<Initialization sourceURL="{one.said.init}"/>'
    yield "<SegmentTimeline>"
    yield from timeline_lines(one, zero_s)
    yield "</SegmentTimeline>"
    yield from (f'<SegmentURL media="{file}"/>' for file in one.files)
    yield "</SegmentList>"
    yield "</Representation>"


def timeline_lines(one: DashTrack, zero_s: Fraction) -> Iterator[str]:
    zero = one.origin + round(zero_s * one.init.timescale)
    # Sound may begin with samples that are played before the film begins, and so never.
    times = [max(time - zero, 0) for time in (*(s.decode_time for s in one.segments), one.segments[-1].end)]
    # Each on its own: dash.js 5.2 takes the entries of a list with repeated times for one segment.
    yield from (f'<S t="{time}" d="{after - time}"/>' for time, after in pairwise(times))


# --- handing out a manifest that was written here --------------------------------------------------------------------


def manifest_in_folder(manifest: str, folder: str) -> str:
    """The manifest with everything that it names in `folder`."""
    return manifest.replace("<Period ", f"<BaseURL>{escape(folder)}/</BaseURL>\n<Period ", 1)


def files(manifest: str) -> list[str]:
    return [match[2] for match in FILE.finditer(manifest)]


def with_addresses(manifest: str, change: Callable[[str], str]) -> str:
    """The manifest with the address of every file changed."""
    return FILE.sub(lambda match: f"<{match[1]}={quoteattr(change(match[2]))}", manifest)
