"""Languages of tracks: what files call them, as BCP 47 has them, and what a menu says; pure."""

import re

TAG = re.compile(r"[a-z]{2,3}")
SEPARATOR = re.compile(r"[-_]")
FULL_TAG = re.compile(r"(?P<language>[a-zA-Z]{2,3})(?P<rest>(?:-[a-zA-Z0-9]{2,8})*)")
MAX_TAG_LENGTH = 12
UNDETERMINED = "und"

# BCP 47 wants the short code where there is one: (short, the codes of ISO 639-2 that files use, name in the language).
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
    """`de` of `deu`, `ger` or `de-AT`; `und` for anything that is no language, which a file may claim at will."""
    language = SEPARATOR.split(tag, maxsplit=1)[0].lower()
    return SHORT.get(language, language) if TAG.fullmatch(language) else UNDETERMINED


def canonical_tag(text: str) -> str | None:
    """`pt-BR` of `POR-br`: one spelling for each language, script and region; None for what is no BCP 47 tag."""
    match = FULL_TAG.fullmatch(text)
    if match is None or len(text) > MAX_TAG_LENGTH:
        return None
    language = match["language"].lower()
    subtags = [canonical_subtag(subtag) for subtag in match["rest"].split("-")[1:]]
    return "-".join([SHORT.get(language, language), *subtags])


def canonical_subtag(subtag: str) -> str:
    """Regions (two letters) are written BR, scripts (four) Latn, everything else small."""
    if len(subtag) == 4 and subtag.isalpha():
        return subtag.capitalize()
    return subtag.upper() if len(subtag) == 2 else subtag.lower()


def tag_name(tag: str) -> str:
    """What a menu says of a whole tag: `Português (BR)`."""
    language, _, rest = tag.partition("-")
    name = language_name(language)
    return f"{name} ({rest})" if rest else name


def language_name(language: str) -> str:
    """What a menu says: the language's own name, else its code; empty when it is not known."""
    return NAMES.get(language, "" if language == UNDETERMINED else language)
