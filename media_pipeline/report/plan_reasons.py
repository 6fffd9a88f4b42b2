"""The reasons for a plan, and what an uploader should know about the file, in plain sentences; pure."""

from collections.abc import Callable, Iterator

from media_pipeline.planning.ladder import NEARLY, Rung
from media_pipeline.planning.plan import EncodePlan, PlanSettings
from media_pipeline.planning.storyboard import MAX_TILES, MIN_INTERVAL_S
from media_pipeline.report.number_text import enumerate_words, rate_text, seconds_text, size_text
from media_pipeline.sources.colour import HDR_NAMES
from media_pipeline.sources.languages import UNDETERMINED, language_name
from media_pipeline.sources.source import STANDARD_RATES, Source, SubtitleTrack

# Lines of a picture, and frames a second, below which the uploader is warned.
SMALL = 360
SLOW = 15
# Share of the longest film that the site accepts.
CLOSE_TO_LIMIT = 0.9
# Container and picture may differ by this much (share and seconds) without anything missing.
MISSING_SHARE = 0.02
MISSING_S = 1.0
CHROMA_420 = ("yuv420p", "yuvj420p", "nv12", "nv21", "p010")

Sentences = Callable[[Source, EncodePlan, PlanSettings], Iterator[str]]


def explain_decisions(source: Source, plan: EncodePlan, settings: PlanSettings) -> tuple[str, ...]:
    """One sentence for each decision that is not obvious."""
    return tuple(sentence for say in DECISIONS for sentence in say(source, plan, settings))


def explain_warnings(source: Source, plan: EncodePlan, settings: PlanSettings) -> tuple[str, ...]:
    """One sentence for each fact that the uploader may want to mend. The film is processed all the same."""
    return tuple(sentence for say in WARNINGS for sentence in say(source, plan, settings))


# --- decisions -------------------------------------------------------------------------------------------------------


def why_these_rungs(source: Source, plan: EncodePlan, settings: PlanSettings) -> Iterator[str]:
    size, best = size_text(source.width, source.height), plan.rungs[-1]
    planned = {rung.name for rung in plan.rungs}
    left_out = [rung.name for rung in settings.ladder if rung.name not in planned]
    if is_below(source, plan.rungs[0].rung):
        yield f"At {size} the picture is smaller than every quality: it keeps its size and is called {best.name}."
    elif left_out:
        yield f"The picture is {size}, so there is no {enumerate_words(left_out, 'or')}: nothing is ever enlarged."
    if not left_out and min(source.width, source.height) > min(best.width, best.height):
        yield f"The picture is {size}; it is scaled down, because {best.name} is the best quality of this site."
    if best.name not in {rung.name for rung in settings.ladder}:
        yield f"It lies between two qualities of this site and gets one of its own, {best.name}."
    for rung in plan.rungs:
        lines = rung.rung.short_side - min(rung.width, rung.height)
        if lines > 0 and not is_below(source, rung.rung):
            yield f"The picture is only {lines} lines short of {rung.name} and counts as {rung.name}."


def is_below(source: Source, rung: Rung) -> bool:
    return min(source.width, source.height) < rung.short_side * NEARLY


def why_this_rate(source: Source, plan: EncodePlan, settings: PlanSettings) -> Iterator[str]:
    rate = rate_text(plan.frame_rate)
    if source.is_variable_rate:
        yield f"The time between frames varies, as in videos from phones; the film gets a steady {rate} a second."
    elif source.source_rate > plan.frame_rate:
        all_frames = rate_text(source.source_rate)
        yield f"Of {all_frames} frames a second, {rate} are kept: few screens show more, and each costs time and space."


def why_upright(source: Source, plan: EncodePlan, settings: PlanSettings) -> Iterator[str]:
    if source.rotation:
        yield "The file asks players to turn its picture; it is stored upright, so that every player shows it right."
    if source.pixel_shape not in (0, 1):
        shape = f"{source.pixel_shape.numerator}:{source.pixel_shape.denominator}"
        yield (
            f"Its pixels are not square ({shape}), so the picture is stretched to "
            f"{size_text(source.width, source.height)}, as a player would show it."
        )


def why_these_colours(source: Source, plan: EncodePlan, settings: PlanSettings) -> Iterator[str]:
    colour = source.colour
    if colour.is_hdr:
        yield f"The film is {HDR_NAMES[colour.transfer]}; it is tone-mapped to BT.709, which every screen can show."
    elif colour.is_wide:
        yield f"Its colours ({colour.primaries}) are wider than most screens show, so they are brought to BT.709."
    if colour.depth_bits > 8 or not source.pixels.startswith(CHROMA_420):
        yield f"Its pixels are {source.pixels}; they are converted to yuv420p in 8 bits, which every browser plays."


def why_deinterlaced(source: Source, plan: EncodePlan, settings: PlanSettings) -> Iterator[str]:
    if plan.is_interlaced:
        yield "The picture is interlaced, as television was; it is converted to full frames, which screens need."


def why_this_sound(source: Source, plan: EncodePlan, settings: PlanSettings) -> Iterator[str]:
    channels = [audio.track.channels for audio in plan.audio if audio.track.channels > 2]
    if channels:
        yield f"{max(channels)} channels of sound are mixed down to stereo, which every player has."
    if len(plan.audio) > 1:
        yield f"Viewers can choose from {len(plan.audio)} soundtracks; until they do, {plan.audio[0].name} plays."
    if left_out := len(source.audio) - len(plan.audio):
        tracks = "1 more soundtrack is" if left_out == 1 else f"{left_out} more soundtracks are"
        yield f"{tracks} left out: a film can have at most {len(plan.audio)}."


def why_these_captions(source: Source, plan: EncodePlan, settings: PlanSettings) -> Iterator[str]:
    kept = {caption.index for caption in plan.captions}
    for track in source.subtitles:
        if track.index not in kept:
            name = track.title or language_name(track.language)
            label = f"“{name}” (track {track.index})" if name else f"of track {track.index}"
            yield f"The subtitles {label} are left out: {why_left_out(track, plan)}."


def why_left_out(track: SubtitleTrack, plan: EncodePlan) -> str:
    if not track.is_text:
        return f"they are pictures ({track.codec}), not text"
    if track.language in {caption.language for caption in plan.captions}:
        return "the menu shows each language once"
    return f"a film can have captions in at most {len(plan.captions)} languages"


def why_this_storyboard(source: Source, plan: EncodePlan, settings: PlanSettings) -> Iterator[str]:
    interval_s = plan.storyboard.step_frames / plan.frame_rate
    if interval_s > MIN_INTERVAL_S * 2:
        every = seconds_text(interval_s)
        yield f"The seek bar shows a picture for every {every}, because it has at most {MAX_TILES} pictures."


DECISIONS: tuple[Sentences, ...] = (
    why_these_rungs, why_this_rate, why_upright, why_these_colours, why_deinterlaced, why_this_sound,
    why_these_captions, why_this_storyboard,
)  # fmt: skip


# --- warnings --------------------------------------------------------------------------------------------------------


def warn_of_size(source: Source, plan: EncodePlan, settings: PlanSettings) -> Iterator[str]:
    if min(source.width, source.height) < SMALL:
        yield f"The picture is only {size_text(source.width, source.height)}: it will look coarse on a large screen."


def warn_of_rate(source: Source, plan: EncodePlan, settings: PlanSettings) -> Iterator[str]:
    rate = rate_text(source.source_rate)
    if plan.frames == 1:
        yield "The film has only one picture."
    elif source.frame_rate < SLOW:
        yield f"The film has only {rate} frames a second: movement will stutter."
    elif not source.is_variable_rate and source.source_rate not in STANDARD_RATES:
        yield f"{rate} frames a second is an unusual rate; if it is not intended, check how the film was exported."


def warn_of_missing_parts(source: Source, plan: EncodePlan, settings: PlanSettings) -> Iterator[str]:
    there_s, declared_s = source.duration_s - (source.start_s or 0), source.declared_s or 0
    if declared_s - there_s > max(MISSING_S, MISSING_SHARE * float(declared_s)):
        yield (
            f"The file says that it lasts {seconds_text(declared_s)}, but its picture ends after "
            f"{seconds_text(there_s)}: the rest may be missing or damaged."
        )


def warn_of_sound(source: Source, plan: EncodePlan, settings: PlanSettings) -> Iterator[str]:
    if not source.audio:
        yield "The film has no sound."
    elif plan.audio and plan.audio[0].track.channels == 1:
        yield "The sound is mono: both sides will play the same."
    unknown = [audio.name for audio in plan.audio if audio.track.language == UNDETERMINED]
    if unknown and len(plan.audio) > 1:
        yield f"The file does not say in which language the soundtracks {enumerate_words(unknown, 'and')} are."


def warn_of_length(source: Source, plan: EncodePlan, settings: PlanSettings) -> Iterator[str]:
    limit_s = settings.limits.max_duration_s
    if source.duration_s > CLOSE_TO_LIMIT * limit_s:
        lasts, limit = seconds_text(source.duration_s), seconds_text(limit_s)
        yield f"The film lasts {lasts}, which is close to the {limit} that this site accepts."


WARNINGS: tuple[Sentences, ...] = (warn_of_size, warn_of_rate, warn_of_missing_parts, warn_of_sound, warn_of_length)
