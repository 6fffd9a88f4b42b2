"""Every regular expression that may read untrusted text takes linear time.

The tests find the expressions of the product's modules, serializers, models and routes, of the watch site's scripts and
of Nginx. Each has an entry in WORST with the texts that its author expects to take longest; a missing entry fails.
"""

import ast
import importlib
import json
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.core.validators import RegexValidator, slug_re, slug_unicode_re
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import get_converters
from rest_framework import serializers

from config.env_file import BASE_DIR

PACKAGES = ("background", "config", "content_app", "users_app", "media_pipeline")
SIZE = 100_000
# Processor time for each use of a pattern. Linear time is some hundredths of a second; 100,000 steps squared take
# several times the limit on any machine, and the signal then ends the child.
LIMIT_S = 2.0
MEASURE = """
import json, re, signal, sys
for name, pattern, flags, text, is_binary in json.load(sys.stdin):
    found = re.compile(pattern.encode("latin-1") if is_binary else pattern, flags)
    text = text.encode("latin-1") if is_binary else text
    for use in (found.search, found.fullmatch, found.split):
        signal.setitimer(signal.ITIMER_VIRTUAL, float(sys.argv[1]))
        use(text)
    print(name, flush=True)
"""
Case = tuple[str, str, int, str, bool]

# Units by pattern. Each unit is repeated up to 100,000 characters, once alone and once with an ending that fails.
WORST: dict[str, tuple[str, ...]] = {
    "config.logs.SECRETS": (
        "token-",
        "token ",
        "token",
        "-token:",
        'secret"  :  ',
        "Bearer ",
        "/media/a.",
        "password=b'",
    ),
    "config.logs.CREDENTIALS": ("://a:", "://", "://:", "a:b@", "://a:b@"),
    "config.logs.SECRET_NAMES": ("passwor", "signatur"),
    "config.http.middleware.WELL_FORMED_ID": ("a", "a.", "-"),
    "config.http.header_guard.EXTENDED_PARAMETER": (";*", "; * ", ";* = ", "*", ";" + "*" * 1000),
    "config.http.byte_ranges.SINGLE_RANGE": ("bytes=", "bytes=\t", "bytes=1", "bytes=1-", "1", " "),
    "config.http.media_server.ADDRESS": ("a", "a.", "file/a.", "a." + "b" * 43 + "/videos/", ".a"),
    "config.admin_site.queue_pages.DEAD_SCRIPT": (
        '<script type="text/javascript">',
        '<script type="text/javascript">(function($) {',
        '<script type="text/javascript"> ',
        " ",
    ),
    "config.openapi.schema.END_OF_SUMMARY": (".", ". ", "a", "("),
    "config.http.media_server.NO_QUALITY": (";q=0", ";q=0.", ";q=0.0", "0"),
    "config.checks.POOL_ID": ("a", "a-", "a-1", "a-a_"),
    "config.openapi.reference.CHOICE_LINE": ("* ", "\n* ", "\n"),
    "config.openapi.reference.REFERENCE": ("#/components/schemas/", "#/components/schemas/a", "a"),
    "users_app.http.service_signature.VISIBLE": ("a", "a ", " "),
    "users_app.http.service_signature.KEY_ID": ("a", "a ", "/"),
    "users_app.http.service_signature.HEADER_NAME": ("a", "a ", "A"),
    "users_app.http.service_signature.HEADER_VALUE": ("a", "a\n", "\n"),
    "users_app.http.service_signature.HEX_DIGEST": ("a", "a" * 63 + "g"),
    "users_app.http.service_signature.TIMESTAMP": ("1", "11111111T", "11111111T111111"),
    "users_app.http.service_signature.SPACES": (" ", " \t", "a "),
    "users_app.cognito.pool_api.NOT_SET_UP": ("secret", "secret ", "configured ", "flow is ", "method not "),
    "media_pipeline.packaging.caption_files.TIMES": (
        "1",
        "1:",
        "00:00:00.000 ",
        "00:00:00.000 -->",
        "00:00.0 --> 00:00.0 ",
        " ",
    ),
    "media_pipeline.packaging.caption_files.TAG": ("<", "<a", "</", "<1", "<a.", "<1:"),
    "media_pipeline.packaging.caption_files.CONTROLS": ("a", "\x01"),
    "media_pipeline.packaging.caption_files.ASS_OVERRIDES": ("{", "{\\", "{\\a"),
    "media_pipeline.ffmpeg.diagnose.OVERSIZED": ("Picture size ", "Picture size 1", "Picture size 1x1 ", "1"),
    "media_pipeline.ffmpeg.locate.VERSION": ("ffmpeg version ", "ffmpeg version n1", "1"),
    "media_pipeline.external.hls.NAME": ("a", "a.", "a/", ".a"),
    "media_pipeline.external.hls.RESOLUTION": (",RESOLUTION=", ",RESOLUTION=1", ",RESOLUTION=1x", "1"),
    "media_pipeline.external.hls.BYTE_RANGE": ("#EXT-X-BYTERANGE:", "#EXT-X-BYTERANGE:1", "#EXT-X-BYTERANGE:1@1 ", "1"),
    "media_pipeline.external.hls.SECONDS": ("1", "1.", ".1"),
    "media_pipeline.external.dash.CODEC": ("a", "a.", "-"),
    "media_pipeline.external.dash.TIME_IDENTIFIER": ("$", "$Time", "$Time%01", "$Time$"),
    "media_pipeline.external.dash_texts.FILE": (
        "<SegmentURL media=",
        '<SegmentURL media="',
        '<SegmentURL media="a',
        "<Initialization sourceURL",
        "<",
    ),
    "media_pipeline.mp4.segments.BRAND": ("a", "a-", " "),
    "media_pipeline.external.mpd.CHANNELS": ("1", "11"),
    "media_pipeline.external.mpd.DURATION": ("P", "PT", "1", "PT1", "PT1H", "P1D", "PT1.1"),
    "media_pipeline.external.mpd.IDENTIFIER": ("$", "$a", "$%01", "$a%01d", "a"),
    "media_pipeline.external.mpd.INTEGER": ("1", "1a"),
    "media_pipeline.external.mpd.RATE": ("1", "1/", "/"),
    "media_pipeline.external.mpd.SIGNED": ("-", "-1", "1"),
    "media_pipeline.sources.languages.TAG": ("a", "a-"),
    "media_pipeline.sources.languages.SEPARATOR": ("-", "a", "_"),
    "media_pipeline.sources.languages.FULL_TAG": ("a", "aa-", "aaaaaaaa-", "-aa"),
    "media_pipeline.packaging.playlists.URI_ATTRIBUTE": ('URI="', "URI=", 'URI="a'),
    "config.http.web_worker.CONTENT_LENGTH": (
        "\r\ncontent-length:",
        "\r\ncontent-length: 1",
        " ",
        "\r\ncontent-length:\t",
        "0",
        "\r\ncontent-length: 0",
    ),
    "config.http.web_worker.FORWARDED_FOR": ("\r\nx-forwarded-for:", "\r\nx-forwarded-for: a", "a"),
    "config.http.web_worker.CHUNK": ("\r\ncontent-type:", "\r\ncontent-type: application/offset+octet-strea", " "),
    "config.http.web_worker.EXPECT": ("\r\nexpect:", "\r\nexpect: 100-continue", "\r\nexpect: 100-continue ", " "),
    "content_app.upload_routes.FILMS_OF_STAFF": ("/admin/content_app/video/", "/", "\n"),
    "content_app.upload_routes.FORMS": ("/api/v1/videos/", "/api/v1/videos/a/captions/", "a", "/"),
    "content_app.upload_routes.CHUNKS": ("/api/v1/upload/tus/", "a", "/"),
    "content_app.admin.videos.UUID": ("a", "a-", "aaaaaaaa-", "aaaaaaaa-aaaa-"),
    "content_app.api.uploads.serializers.MEDIA_TYPE": ("a", "a/", "a."),
    "converter:int": ("1", "1a"),
    "converter:str": ("a", "/"),
    "converter:slug": ("a", "a-", "_"),
    "converter:uuid": ("a", "a-", "aaaaaaaa-"),
    "converter:path": ("a", "/", "a/"),
    "converter:video": ("1", "a-", "aaaaaaaa-"),
    "converter:number": ("1", "1a"),
    r"field: \A[0-9]{1,5}p\Z": ("1", "1p", "p"),
    r"field: \A[A-Za-z0-9][A-Za-z0-9.+-]{0,48}/[A-Za-z0-9][A-Za-z0-9.+-]{0,48}\Z": ("a", "a/", "a."),
    r"field: \A[A-Za-z]{3}\Z": ("a", "A1"),
    r"field: ^[-a-zA-Z0-9_]+$": ("a", "-"),
    r"detailsform.js: \r\n?": ("\r", "\r\n"),
    r"directupload.js: <Code>([\w.]+)<\/Code>": ("<Code>", "<Code>a", "a."),
    r"format.js: \.0$": (".", ".0", "0"),
    r"hlsstream.js: (\d{1,5}p)\.m3u8(?:$|\?)": ("1", "1p", "1p.m3u8"),
    r"preflight.js: ^[\w@%+=:,./-]+$": ("a", "a/"),
    r"register.js: \s": (" ", "a"),
    r"shelves.js: \s+": (" ", "a "),
    r"shortcuts.js: ^\d$": ("1", "1\n"),
    r"storyboard.js: \n{2,}": ("\n", "\na"),
    r"storyboard.js: \r\n?": ("\r", "\r\n"),
    r"storyboard.js: ^(\S+)\s+-->\s+(\S+)": ("a", "a ", " ", "a  --> ", "-->"),
    r"storyboard.js: ^(\S+?)#xywh=(?:pixel:)?(\d+),(\d+),(\d+),(\d+)$": (
        "a",
        "#xywh=",
        "#xywh=1",
        "#xywh=1,1,1,1",
        "1,",
    ),
    r"upload.js: [_\s]+": ("_", " a"),
    r"upload.js: \.[^.]+$": (".", ".a", "a"),
    r"media-local.conf: ^/media/(?<grant>[0-9a-z]{1,13}\.[A-Za-z0-9_-]{43})/"
    r"(?<grant_prefix>videos/[0-9a-f-]{36}/[A-Za-z0-9_-]{1,32})/"
    r"(?<media_file>(?:[A-Za-z0-9_-]{1,32}/)?[A-Za-z0-9_-]{1,64}(?:\.[A-Za-z0-9_-]{1,16}){1,3})$": (
        "/media/",
        "a.",
        "a",
    ),
    r"media-local.conf: ^/media/(?<grant>file/[0-9a-z]{1,13}\.[A-Za-z0-9_-]{43})/"
    r"(?<grant_prefix>videos/[0-9a-f-]{36}/[A-Za-z0-9_-]{1,32})/"
    r"(?<media_file>(?:[A-Za-z0-9_-]{1,32}/)?[A-Za-z0-9_-]{1,64}(?:\.[A-Za-z0-9_-]{1,16}){1,3})$": (
        "/media/",
        "/media/file/",
        "a.",
        "a",
    ),
    r"nginx.conf.in: ^(?:POST|PUT|PATCH) /api/v1/videos(?:/[^/]+(?:/poster|/captions/[^/]+)?)?/?$": (
        "POST /api/v1/videos/",
        "POST /api/v1/videos/a/captions/",
        "a",
        "/",
    ),
    r"nginx.conf.in: ^POST /admin/content_app/video(?:/.*)?$": ("POST /admin/content_app/video/", "/"),
    r"nginx.conf.in: ^(?:POST|PATCH) /api/v1/upload/tus(?:/[^/]+)?/?$": ("POST /api/v1/upload/tus/", "a", "/"),
    r"nginx.conf.in: ^form multipart/form-data *(?:;|$)": ("form multipart/form-data ", " ", ";"),
    r"nginx.conf.in: ^chunk application/offset\+octet-stream *(?:;|$)": ("chunk application/offset+octet-stream ", " "),
    r"nginx.conf.in: ^form (?:[0-9]{8,}|[3-9][0-9]{6})$": ("form ", "form 3", "3"),
    r"nginx.conf.in: ^chunk ": ("chunk ",),
    r"nginx.conf.in: ^(?<logged_rest>[^?]{0,2000})": ("a", "?"),
    r"nginx.conf.in: ^(?<logged_agent>.{0,300})": ("a", "\n"),
    r"nginx.conf.in: ^/api/v1/stream/play/": ("/api/v1/stream/play/",),
    r"nginx.conf.in: ^/media-grant/": ("/media-grant/",),
    r"nginx.conf.in: ^/media/file/[^/?]*(?<logged_picture>/[^?]{0,2000})?": ("/media/file/", "/media/file/a", "/", "a"),
    r"nginx.conf.in: ^/media/[^/?]+(?<logged_file>/[^?]{0,2000})?": ("/media/", "/media/a", "/", "a"),
    r"nginx.conf.in: ^/media/posters/(?<logged_poster>[^?]{0,2000})": ("/media/posters/", "a"),
    r"nginx.conf.in: ^[A-Za-z0-9._-]{8,64}$": ("a", "a."),
    r"site.conf: ^/api/v1/upload/videos/[^/]+/status/?$": (
        "/api/v1/upload/videos/",
        "/api/v1/upload/videos/a/status/",
        "a",
        "/status/",
    ),
    r"signed.conf: ^(GET|HEAD)$": ("GET",),
    r"site.conf: ^/(users/(login|register|forgot-password|reset-password|email-exists)"
    r"|api/v1/auth/(login|token|register|signup|verify-email))/?$": ("/users/login", "/", "api/v1/auth/"),
}


def product_modules() -> Iterator[str]:
    for package in PACKAGES:
        found = pkgutil.walk_packages([str(BASE_DIR / package)], prefix=f"{package}.")
        yield from (module.name for module in found if ".tests" not in module.name and ".migrations" not in module.name)


def named_patterns(module: str) -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Yields the expressions that a module and its classes compile, without those that it imports."""
    namespaces = {"": vars(importlib.import_module(module))}
    for name, value in namespaces[""].items():
        if isinstance(value, type) and value.__module__ == module:
            namespaces |= {f"{name}.": dict(vars(value))}
    for prefix, namespace in namespaces.items():
        for name, value in namespace.items():
            if isinstance(value, re.Pattern) and re.search(rf"^\s*{name} = re\.compile\(", source_of(module), re.M):
                yield f"{module}.{prefix}{name}", value


def source_of(module: str) -> str:
    path = BASE_DIR / module.replace(".", "/")
    return (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text()


def field_patterns() -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Yields the expressions of serializers and models, except Django's own for slugs and addresses."""
    validators = [
        validator
        for cls in all_subclasses(serializers.Serializer)
        if cls.__module__.startswith(PACKAGES)
        for field in cls().fields.values()
        for validator in field.validators
    ]
    for model in apps.get_models():
        if model.__module__.startswith(PACKAGES):
            validators += [validator for column in model._meta.fields for validator in column.validators]
    for validator in validators:
        if type(validator) is RegexValidator and validator.regex not in (slug_re, slug_unicode_re):
            regex = re.compile(validator.regex)
            yield f"field: {regex.pattern}", re.compile(regex.pattern, regex.flags)


def all_subclasses(cls: Any) -> Iterator[Any]:
    for child in cls.__subclasses__():
        yield child
        yield from all_subclasses(child)


def scripts() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Yields the regular expression literals of the watch site's scripts, whose syntax Python reads as well."""
    part = r"(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])"
    literal = re.compile(rf"(?<=[(=,:?])\s*/((?!\*){part}+)/([gimsuy]*)(?=[.,;)\s])")
    for path in sorted((BASE_DIR / "static" / "js").rglob("*.js")):
        for found in literal.finditer(path.read_text()):
            yield f"{path.name}: {found[1]}", re.compile(found[1], re.IGNORECASE if "i" in found[2] else 0)


def of_nginx() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Yields the expressions after ~ or ~* in locations, conditions and maps; some are quoted for braces or spaces."""
    for path in sorted(path for path in (BASE_DIR / "nginx").rglob("*") if path.suffix in (".conf", ".in")):
        for line in path.read_text().splitlines():
            code = line.partition("#")[0]
            for quoted, bare in re.findall(r'(?:~\*? |(?<=")~\*?)(?:"?(\^[^"]+)"|(\^\S+) \{)', code):
                found = quoted or bare
                yield f"{path.name}: {found}", re.compile(re.sub(r"\(\?<(?=\w)", "(?P<", found))


def all_patterns() -> dict[str, re.Pattern[Any]]:
    found = dict(pair for module in product_modules() for pair in named_patterns(module))
    found |= dict(field_patterns()) | dict(scripts()) | dict(of_nginx())
    used = {
        converter for pattern in url_patterns() for converter in getattr(pattern.pattern, "converters", {}).values()
    }
    for name, converter in get_converters().items():
        if converter in used:
            found[f"converter:{name}"] = re.compile(converter.regex)
    return found


def url_patterns(above: URLResolver | None = None) -> Iterator[URLPattern | URLResolver]:
    for one in (above or get_resolver()).url_patterns:
        yield one
        if isinstance(one, URLResolver):
            yield from url_patterns(one)


def filled(unit: str) -> str:
    """Returns the unit, repeated to SIZE characters."""
    return (unit * (SIZE // len(unit) + 1))[:SIZE]


def too_slow(cases: list[Case], *, limit_s: float = LIMIT_S) -> list[str]:
    """Returns the names of the cases that took longer than the limit."""
    slow = []
    while cases:
        command = [sys.executable, "-c", MEASURE, str(limit_s)]
        done = subprocess.run(command, input=json.dumps(cases), capture_output=True, text=True, check=False)
        assert not done.stderr, done.stderr
        measured = len(done.stdout.splitlines())
        slow += [name for name, *_ in cases[measured : measured + 1]]
        cases = cases[measured + 1 :]
    return slow


def cases_of(name: str, pattern: re.Pattern[Any], units: Iterable[str]) -> Iterator[Case]:
    is_binary = isinstance(pattern.pattern, bytes)
    text = pattern.pattern.decode("latin-1") if is_binary else pattern.pattern
    for unit in units:
        for worst in (filled(unit), filled(unit) + "\x00"):
            yield f"{name} by {unit!r}", text, pattern.flags, worst, is_binary


def test_every_pattern_has_its_worst_texts() -> None:
    found = set(all_patterns())
    assert found - set(WORST) == set(), "each pattern needs an entry in WORST"
    assert set(WORST) - found == set(), "these patterns no longer exist"


def test_every_pattern_takes_linear_time() -> None:
    cases = [case for name, one in all_patterns().items() for case in cases_of(name, one, WORST[name])]
    assert too_slow(cases) == []


def test_every_route_takes_linear_time() -> None:
    """Each route is tried with texts that fit its converters, and with the texts between them."""
    cases: list[Case] = []
    # Requests never reach this route of Django, which has two greedy converters: config.urls has its own before it.
    routes = {str(one.pattern): one for one in url_patterns() if one.pattern.converters}
    routes.pop("r/<path:content_type_id>/<path:object_id>/")
    for route, one in routes.items():
        units = (re.sub(r"<[^>]*>", "a", route) + "/", "a/", "1")
        cases += cases_of(route, re.compile(str(one.pattern.regex.pattern)), units)
    assert len(cases) > 100
    assert too_slow(cases) == []


def test_the_measurement_finds_quadratic_and_cubic_patterns() -> None:
    """Tried with the smallest quadratic expression, and with a cubic one by which a header once stopped the site."""
    cubic = re.compile(r"""["']?\b[\w-]*(?:token|secret)[\w-]*["']?\s*[:=]\s*[^\s]+""", re.IGNORECASE)
    cases = [*cases_of("square", re.compile(r"\s+$"), [" "]), *list(cases_of("cubic", cubic, ["token-"]))[:1]]
    assert too_slow(cases, limit_s=0.5) == ["square by ' '", "cubic by 'token-'"]


def test_no_pattern_is_compiled_where_these_tests_would_not_find_it() -> None:
    """Every expression is compiled at the top of a module, where `named_patterns` finds it."""
    exempt = {
        "config.openapi.reference",  # a command of developers, which reads the platform's own schema
        "media_pipeline.external.dash",  # fixed words of a template with possessive digits between them
    }
    inline = []
    for module in set(product_modules()) - exempt:
        tree = ast.parse(source_of(module))
        top = {id(node.value) for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)}
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=name)) if name != "escape":
                    inline += [f"{module}:{node.lineno}"] if id(node) not in top else []
    assert inline == []
