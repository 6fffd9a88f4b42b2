"""Writes the texts by which players read a DASH result: a manifest of its whole length, and HLS playlists; pure."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import count, pairwise
from xml.sax.saxutils import escape, quoteattr

from media_pipeline import layout
from media_pipeline.external.dash import DashResult, DashTrack, codec_family
from media_pipeline.external.hls import Variant
from media_pipeline.external.mpd import NAMESPACE
from media_pipeline.packaging import playlists
from media_pipeline.packaging.playlists import AudioVariant, Segment, VideoVariant
from media_pipeline.planning.tracks import distinct_names
from media_pipeline.sources.languages import UNDETERMINED, canonical_tag, language_name, parse_language

XML = '<?xml version="1.0" encoding="UTF-8"?>'
# The profile that has lists of segments.
PROFILE = "urn:mpeg:dash:profile:isoff-main:2011"
CHANNELS = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011"
ROLE = "urn:mpeg:dash:role:2011"
BUFFER_S = 4
FILE = re.compile(r'<(Initialization sourceURL|SegmentURL media)="([^"]*)"')


@dataclass(frozen=True)
class AdaptationSet:
    """Tracks between which a player may change at every cut of a segment."""

    kind: str
    language: str
    tracks: tuple[DashTrack, ...]

    @property
    def best(self) -> DashTrack:
        return max(self.tracks, key=lambda one: one.representation.bandwidth)


def adaptation_sets(result: DashResult) -> list[AdaptationSet]:
    """The tracks in sets: those of the picture that are cut at the same instants, the soundtracks as in the manifest.

    Some services put each quality of the picture into a set of its own.
    """
    groups: dict[tuple[object, ...], list[DashTrack]] = {}
    for one in result.tracks:
        cuts = (Fraction(segment.decode_time - one.origin, one.init.timescale) for segment in one.segments)
        where = tuple(cuts) if one.init.kind == "video" else one.representation.group
        language = track_language(one) if one.init.kind == "audio" else UNDETERMINED
        groups.setdefault((one.init.kind, codec_family(one.codec), language, where), []).append(one)
    return [AdaptationSet(str(kind), str(language), tuple(tracks)) for (kind, _, language, _), tracks in groups.items()]


def track_language(one: DashTrack) -> str:
    """The language that the manifest declares, else that of the init segment."""
    declared = canonical_tag(one.representation.language)
    if declared and parse_language(declared) != UNDETERMINED:
        return declared
    return parse_language(one.init.language)


# --- HLS -------------------------------------------------------------------------------------------------------------


def hls_texts(result: DashResult) -> tuple[dict[str, str], list[Variant]]:
    """The master playlist and the media playlists, by their names; and the qualities, lowest first."""
    videos = sorted(result.videos, key=lambda one: (min(one.size), one.representation.bandwidth))
    names = distinct_names((f"{min(one.size)}p" for one in videos), "_")
    sounds = soundtracks(result)
    # The main soundtrack has no key.
    keys = ["", *distinct_names((one.language for one in sounds[1:]), "_")][: len(sounds)]
    titles = [one.best.representation.label or language_name(parse_language(one.language)) for one in sounds]
    labels = distinct_names((title or "Original" for title in titles), "_")
    lines = playlists.variant_lines(
        [
            VideoVariant(name, *one.size, one.frame_rate, one.codec, hls_segments(one))
            for name, one in zip(names, videos, strict=True)
        ],
        [
            # The playlist names the files: AudioVariant needs none.
            AudioVariant(key, "", sound.language, label, one.codec, hls_segments(one), one.representation.channels or 2)
            for key, sound, label in zip(keys, sounds, labels, strict=True)
            for one in (sound.best,)
        ],
        is_independent=all(segment.starts_with_sync for one in videos for segment in one.segments),
    )
    texts = {layout.MASTER: playlists.join_lines(lines)}
    texts |= {layout.playlist_file(name): track_playlist(one) for name, one in zip(names, videos, strict=True)}
    texts |= {layout.audio_playlist_file(key): track_playlist(one.best) for key, one in zip(keys, sounds, strict=True)}
    return texts, [Variant(layout.playlist_file(name), *one.size) for name, one in zip(names, videos, strict=True)]


def soundtracks(result: DashResult) -> list[AdaptationSet]:
    """The soundtracks of one codec, the main one first."""
    sounds = [one for one in adaptation_sets(result) if one.kind == "audio"]
    sounds.sort(key=lambda one: (not one.best.codec.startswith("mp4a"), one.best.representation.role != "main"))
    # Every quality of an HLS master playlist names the codec of its soundtracks, so all must have the same.
    return [one for one in sounds if codec_family(one.best.codec) == codec_family(sounds[0].best.codec)]


def track_playlist(one: DashTrack) -> str:
    is_independent = all(segment.starts_with_sync for segment in one.segments)
    return playlists.files_playlist(
        one.representation.init, one.files, hls_segments(one), is_independent=is_independent
    )


def hls_segments(one: DashTrack) -> tuple[Segment, ...]:
    pairs = zip(one.segments, one.durations, strict=True)
    return tuple(Segment(0, segment.size_bytes, Fraction(ticks, one.init.timescale)) for segment, ticks in pairs)


# --- DASH ------------------------------------------------------------------------------------------------------------


def manifest_text(result: DashResult) -> str:
    """A manifest for the whole length, written anew from the facts that were read from the service's own.

    So nothing else reaches a player, such as addresses of other hosts or a window of a live recording. Each segment is
    listed by its name, so that its address can be signed, with the times of the segments themselves.
    """
    longest_s = max(Fraction(max(one.durations), one.init.timescale) for one in result.tracks)
    about = f'profiles="{PROFILE}" type="static" minBufferTime="PT{BUFFER_S}S"'
    lasts = (
        f'mediaPresentationDuration="PT{float(result.duration_s):.3f}S" maxSegmentDuration="PT{float(longest_s):.3f}S"'
    )
    lines = [XML, f'<MPD xmlns="{NAMESPACE}" {about} {lasts}>', '<Period id="0" start="PT0S">']
    # Whole numbers: dash.js 5.2 fails on "0.1".
    identities = count()
    for number, one in enumerate(adaptation_sets(result)):
        language = f" lang={quoteattr(one.language)}" if one.language != UNDETERMINED else ""
        about = f'id="{number}" contentType="{one.kind}"{language} segmentAlignment="true" startWithSAP="1"'
        role = one.best.representation.role
        lines += [
            f"<AdaptationSet {about}>",
            *([f"<Label>{escape(one.best.representation.label)}</Label>"] if one.best.representation.label else []),
            *([f'<Role schemeIdUri="{ROLE}" value={quoteattr(role)}/>'] if role else []),
            *(line for track in one.tracks for line in representation_lines(next(identities), track, result.start_s)),
            "</AdaptationSet>",
        ]
    return playlists.join_lines([*lines, "</Period>", "</MPD>"])


def representation_lines(identity: int, one: DashTrack, zero_s: Fraction) -> Iterator[str]:
    peak = playlists.peak_bps(hls_segments(one))
    about = f'id="{identity}" mimeType="{one.init.kind}/mp4" codecs={quoteattr(one.codec)} bandwidth="{peak}"'
    if one.init.kind == "video":
        rate, (width, height) = one.frame_rate, one.size
        about += f' width="{width}" height="{height}" frameRate="{rate.numerator}/{rate.denominator}"'
    yield f"<Representation {about}>"
    if one.representation.channels:
        yield f'<AudioChannelConfiguration schemeIdUri="{CHANNELS}" value="{one.representation.channels}"/>'
    yield f'<SegmentList timescale="{one.init.timescale}">'
    yield f'<Initialization sourceURL="{one.representation.init}"/>'
    yield "<SegmentTimeline>"
    zero = one.origin + round(zero_s * one.init.timescale)
    # Sound may begin with samples of the time before the film begins, which are never heard.
    times = [max(time - zero, 0) for time in (*(s.decode_time for s in one.segments), one.segments[-1].end)]
    # One entry for each segment: in a list, dash.js 5.2 takes an entry with repeated times for one segment.
    yield from (f'<S t="{time}" d="{after - time}"/>' for time, after in pairwise(times))
    yield "</SegmentTimeline>"
    yield from (f'<SegmentURL media="{file}"/>' for file in one.files)
    yield "</SegmentList>"
    yield "</Representation>"


# --- handing out a manifest that was written here --------------------------------------------------------------------


def manifest_in_folder(manifest: str, folder: str) -> str:
    """The manifest with `folder` before the name of every file."""
    return manifest.replace("<Period ", f"<BaseURL>{escape(folder)}/</BaseURL>\n<Period ", 1)


def files(manifest: str) -> list[str]:
    """The names of all files in the manifest, in order."""
    return [match[2] for match in FILE.finditer(manifest)]


def with_addresses(manifest: str, change: Callable[[str], str]) -> str:
    """The manifest with the address of every file changed."""
    return FILE.sub(lambda match: f"<{match[1]}={quoteattr(change(match[2]))}", manifest)
