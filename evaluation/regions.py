"""Which part of the world a quote is about, by the countries named with its speaker or situation.

A small table of countries, cities and bodies by region. A row is placed by the first of its fields
that names any of them: the speaker's role, then the situation, the tags, the context and the text.
A row that names countries of several regions in that field counts as "several"; one that names none
takes the commonest region of the rows that share its situation.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

#: Region to names, as alternatives of one regular expression; case does not matter.
REGIONS: Final[dict[str, str]] = {
    "North America": (
        r"us|u\.s\.|usa|united states|american|washington|white house|pentagon|canada|canadian"
        r"|ottawa|ontario|quebec|vancouver|montreal|saskatchewan|senate|teamsters"
        r"|house (?:republican|democrat|minority|majority)\w*"
    ),
    "Latin America and Caribbean": (
        r"mexic\w+|brazil\w*|argentin\w+|chile\w*|peru\w*|colombia\w*|venezuela\w*|bolivia\w*"
        r"|ecuador\w*|uruguay\w*|paraguay\w*|cuba\w*|hait\w+|panama\w*|guatemala\w*|honduras"
        r"|nicaragua\w*|salvador\w*|costa rica\w*|guyan\w+|caracas|bogot[aá]|havana|mercosur"
        r"|caricom|essequibo|falklands?|malvinas|buenos aires|barbados\w*|dominican|jamaica\w*"
        r"|suriname\w*|belize"
    ),
    "Europe": (
        r"eu|european?|brussels|brit\w+|uk|london|england|scot\w+|irish|ireland|dublin|french"
        r"|france|paris|german\w*|berlin|ital\w+|rome|spain|spanish|madrid|catal\w+|portug\w+"
        r"|lisbon|dutch|netherlands|belgi\w+|swi(?:ss|tzerland)|geneva|austria\w*|vienna|pol(?:and"
        r"|ish)|warsaw|czech\w*|prague|slovak\w*|hungar\w+|budapest|romania\w*|bulgaria\w*"
        r"|gre(?:ece|ek)\w*|athens|cyprus|cypriot\w*|nicosia|serb\w+|belgrade|kosov\w+|pristina"
        r"|bosnia\w*|croat\w+|sloven\w+|montenegr\w+|macedonia\w*|albania\w*|nordic|swed\w+"
        r"|norw\w+|oslo|denmark|danish|greenland\w*|fin(?:land|nish)|iceland\w*|balt\w+|estonia\w*"
        r"|latvia\w*|lithuania\w*|nato|malta|maltese|rotterdam|whitehall|tilbury|moncloa|tory"
    ),
    "Russia and neighbours": (
        r"russia\w*|moscow|kremlin|soviet|ukrain\w+|kyiv|kiev|donbas\w*|crimea\w*|belarus\w*|minsk"
        r"|moldov\w+|transnistria\w*|georgia\w*|tbilisi|armenia\w*|yerevan|azer\w+|baku|karabakh"
        r"|zaporizh\w+|kazakh\w*|uzbek\w*|kyrgyz\w*|tajik\w*|turkmen\w*|central asia\w*"
    ),
    "Middle East and North Africa": (
        r"israel\w*|palestin\w+|gaza|west bank|hamas|hezbollah|leban\w+|beirut|syria\w*|damascus"
        r"|iraq\w*|baghdad|kurd\w*|iran\w*|tehran|saudi\w*|riyadh|yemen\w*|houthis?|red ?sea"
        r"|hodeidah|oman\w*|qatar\w*|doha|emirat\w*|uae|dubai|bahrain\w*|kuwait\w*|jordan\w*|amman"
        r"|egypt\w*|cairo|libya\w*|tripoli|tunisia\w*|algeria\w*|morocc\w+|sahrawi\w*"
        r"|western sahara|polisario|turk(?:ey|ish|iye)|türkiye|ankara|gulf|jcpoa|arab\w*|basra"
        r"|levant|sahara"
    ),
    "Sub-Saharan Africa": (
        r"africa\w*|nigeria\w*|niger\w*|abuja|ghana\w*|kenya\w*|nairobi|ethiopia\w*|addis"
        r"|tigray\w*|eritrea\w*|somali\w*|sudan\w*|khartoum|juba|uganda\w*|rwanda\w*|kigali"
        r"|burundi\w*|congo\w*|kinshasa|m23|goma|mali\w*|bamako|sahel|burkina\w*|chad\w*"
        r"|cameroon\w*|senegal\w*|gambia\w*|guinea\w*|liberia\w*|sierra leone\w*|ivor\w+|togo\w*"
        r"|benin\w*|ecowas|angola\w*|zambia\w*|zimbabwe\w*|mozambi\w+|malawi\w*|tanzania\w*"
        r"|botswana|namibia\w*|lesotho|eswatini|madagascar|gerd|nile|pretoria|johannesburg|kivu"
        r"|fasher|darfur|rsf"
    ),
    "South Asia": (
        r"india\w*|delhi|pakistan\w*|islamabad|kashmir\w*|bangladesh\w*|dhaka|nepal\w*|kathmandu"
        r"|bhutan\w*|sri lanka\w*|colombo|maldiv\w+|afghan\w*|kabul|taliban|indus|torkham|khyber"
        r"|punjab\w*|peshawar"
    ),
    "East and South-East Asia": (
        r"chin(?:a|ese)|beijing|hong kong|taiwan\w*|taipei|japan\w*|tokyo|korea\w*|seoul|pyongyang"
        r"|dprk|mongolia\w*|vietnam\w*|hanoi|lao\w*|cambodia\w*|thai\w*|bangkok|myanmar|burm\w+"
        r"|malaysia\w*|singapore\w*|indonesia\w*|jakarta|philippin\w+|filipino|manila|brunei"
        r"|timor\w*|asean|aceh\w*|bangsamoro|sulu|mekong|scarborough|spratl\w+|south china sea"
    ),
    "Oceania": (
        r"australia\w*|canberra|new zealand\w*|wellington|fiji\w*|samoa\w*|tonga\w*|vanuatu"
        r"|solomon\w*|papua\w*|bougainville|kiribati|tuvalu|pacific|palau|marshall islands|nauru"
        r"|new caledonia"
    ),
    "United Nations and world bodies": (
        r"un|u\.n\.|united nations|wto|who|imf|world bank|iaea|g7|g20|red cross|icc|opec\+?"
        r"|secretary-general|security council"
    ),
}


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    return {
        region: re.compile(rf"(?<!\w)(?:{names})(?!\w)", re.IGNORECASE)
        for region, names in REGIONS.items()
    }


SEVERAL: Final = "several"
NOT_TOLD: Final = "not told"
#: World bodies and alliances say little where a country is named beside them.
_LAST: Final = "United Nations and world bodies"


def regions_of(text: str) -> list[str]:
    """Returns the regions of the countries and bodies that a text names, in the table's order."""
    found = [region for region, pattern in _patterns().items() if _names(pattern, text)]
    return [region for region in found if region != _LAST] or found


def _names(pattern: re.Pattern[str], text: str) -> bool:
    # "us" and "who" are words before they are names: they count in capitals only.
    return any(
        match.group() not in ("us", "who", "un", "who's", "Who", "Us")
        for match in pattern.finditer(text)
    )


def region_of(fields: Mapping[str, Any]) -> str:
    """Returns a row's region, "several", or "not told".

    Args:
        fields: The row; ``speaker_role``, ``situation``, ``tags``, ``context`` and ``text`` are
            looked at in this order.
    """
    for name in ("speaker_role", "situation", "tags", "context", "text"):
        value = fields.get(name)
        text = " ".join(map(str, value)) if isinstance(value, list) else str(value or "")
        if name == "situation":
            text = text.replace("-", " ").replace("_", " ")
        found = regions_of(text)
        if found:
            return found[0] if len(found) == 1 else SEVERAL
    return NOT_TOLD


def regions(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Returns the region of each row; rows that name none take that of their situation."""
    found = [region_of(row) for row in rows]
    by_situation: dict[str, Counter[str]] = {}
    for row, region in zip(rows, found, strict=True):
        if region not in (SEVERAL, NOT_TOLD):
            by_situation.setdefault(str(row.get("situation") or ""), Counter())[region] += 1
    for index, row in enumerate(rows):
        counts = by_situation.get(str(row.get("situation") or ""))
        if found[index] == NOT_TOLD and row.get("situation") and counts:
            found[index] = min(counts, key=lambda region: (-counts[region], region))
    return found
