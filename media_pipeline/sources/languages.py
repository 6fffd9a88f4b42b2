"""Languages of tracks: the codes in files, their BCP 47 tags, and their names in menus; pure."""

import re

TAG = re.compile(r"[a-z]{2,3}")
SEPARATOR = re.compile(r"[-_]")
FULL_TAG = re.compile(r"(?P<language>[a-zA-Z]{2,3})(?P<rest>(?:-[a-zA-Z0-9]{2,8})*)")
MAX_TAG_LENGTH = 12
UNDETERMINED = "und"

# (short code, the ISO 639-2 codes that files use, name in the language itself). BCP 47 requires the short code where a
# language has one, and players compare tags as text.
KNOWN = (
    ("ar", ("ara",), "العربية"), ("bg", ("bul",), "Български"), ("bn", ("ben",), "বাংলা"), ("ca", ("cat",), "Català"),
    ("cs", ("ces", "cze"), "Čeština"), ("da", ("dan",), "Dansk"), ("de", ("deu", "ger"), "Deutsch"),
    ("el", ("ell", "gre"), "Ελληνικά"), ("en", ("eng",), "English"), ("es", ("spa",), "Español"),
    ("et", ("est",), "Eesti"), ("eu", ("eus", "baq"), "Euskara"), ("fa", ("fas", "per"), "فارسی"),
    ("fi", ("fin",), "Suomi"), ("fr", ("fra", "fre"), "Français"), ("ga", ("gle",), "Gaeilge"),
    ("gl", ("glg",), "Galego"), ("he", ("heb",), "עברית"), ("hi", ("hin",), "हिन्दी"), ("hr", ("hrv",), "Hrvatski"),
    ("hu", ("hun",), "Magyar"), ("id", ("ind",), "Bahasa Indonesia"), ("is", ("isl", "ice"), "Íslenska"),
    ("it", ("ita",), "Italiano"), ("ja", ("jpn",), "日本語"), ("ko", ("kor",), "한국어"), ("lt", ("lit",), "Lietuvių"),
    ("lv", ("lav",), "Latviešu"), ("ms", ("msa", "may"), "Bahasa Melayu"), ("nl", ("nld", "dut"), "Nederlands"),
    ("no", ("nor",), "Norsk"), ("nb", ("nob",), "Norsk bokmål"), ("nn", ("nno",), "Norsk nynorsk"),
    ("pl", ("pol",), "Polski"), ("pt", ("por",), "Português"), ("ro", ("ron", "rum"), "Română"),
    ("ru", ("rus",), "Русский"), ("sk", ("slk", "slo"), "Slovenčina"), ("sl", ("slv",), "Slovenščina"),
    ("sr", ("srp",), "Српски"), ("sv", ("swe",), "Svenska"), ("ta", ("tam",), "தமிழ்"), ("te", ("tel",), "తెలుగు"),
    ("th", ("tha",), "ไทย"), ("tr", ("tur",), "Türkçe"), ("uk", ("ukr",), "Українська"), ("ur", ("urd",), "اردو"),
    ("vi", ("vie",), "Tiếng Việt"), ("zh", ("zho", "chi"), "中文"),
)  # fmt: skip
SHORT = {long: short for short, longs, _ in KNOWN for long in longs}
NAMES = {short: name for short, _, name in KNOWN}


def parse_language(tag: str) -> str:
    """`de` from `deu`, `ger` or `de-AT`; `und` for anything that is not a language code: files may claim anything."""
    language = SEPARATOR.split(tag, maxsplit=1)[0].lower()
    return SHORT.get(language, language) if TAG.fullmatch(language) else UNDETERMINED


def canonical_tag(text: str) -> str | None:
    """`pt-BR` from `POR-br`: one spelling for each language, script and region. None for text that is no BCP 47 tag."""
    match = FULL_TAG.fullmatch(text)
    if match is None or len(text) > MAX_TAG_LENGTH:
        return None
    language = match["language"].lower()
    tag = [SHORT.get(language, language)]
    for subtag in match["rest"].split("-")[1:]:
        # RFC 5646, 2.1.1: scripts (four letters) are written Latn, regions (two letters) BR, others in lower case.
        is_script, is_region = len(subtag) == 4 and subtag.isalpha(), len(subtag) == 2
        tag.append(subtag.capitalize() if is_script else subtag.upper() if is_region else subtag.lower())
    return "-".join(tag)


def tag_name(tag: str) -> str:
    """The name of a whole tag in menus: `Português (BR)`."""
    language, _, rest = tag.partition("-")
    name = language_name(language)
    return f"{name} ({rest})" if rest else name


def language_name(language: str) -> str:
    """The name of a language in menus: in the language itself, else its code; empty for `und`."""
    return NAMES.get(language, "" if language == UNDETERMINED else language)
