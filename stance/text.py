"""News clean-up with offsets kept: paragraphs, page furniture and sentences.

Nothing here changes a character. Every function returns half-open ``(start, end)`` ranges into the
article as given, and every function takes time linear in the length of its input.

Furniture is what a news page prints around the story: captions, "READ MORE" lines, headlines,
section labels, bylines, footers, and paragraphs printed twice. The rules look at one line at a time
and know English pages; a furniture line they do not know is read as text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

Span = tuple[int, int]

# A sentence without any end is cut at a blank after this many characters, so that the rules which
# look ahead within a sentence stay linear on text that is not prose.
MAX_SENTENCE: Final = 3000

_LINE = re.compile(r"[^\n\r\u2028\u2029]+")
# Patterns that are searched for begin with a plain set of characters: ``re`` then skips the others
# several times faster.
_BLANK_LINE = re.compile(
    r"[\r\n\u2029](?:(?:(?<=\r)\n|(?<!\u2029))(?:[ \t\u00a0]*(?:\r?\n|\r))+|(?<=\u2029))"
)
_FINAL = re.compile(r"[.!?…:;,][\"'”’»)\]]*$|[\"'”’»]$|''$")

_CAPTION = re.compile(
    r"^(?:(?:in )?this (?:file |combination |handout |image |screen ?grab |video |aerial |"
    r"satellite |"
    r"undated |frame ?grab |still |general )*"
    r"(?:photo|picture|image|photograph|video grab|screenshot|frame ?grab|handout)\b"
    r"|file ?(?:photo|picture|pic|image)?\s*[:\-–—]|file (?:photo|image|picture)\b"
    r"|(?:photo|photograph|image|picture|pic|caption|graphic|illustration)s?"
    r"(?: (?:credit|courtesy|by))?\s*[:/|]|\(?photo by\b)",
    re.IGNORECASE,
)
_CREDIT = re.compile(
    r"\((?:photo|image|picture|file photo|source|credit|graphic)s?\b[^()]{0,80}\)\s*$"
    r"|\((?:[A-Z][\w.' -]{0,30}/)?\s*(?:AP|AFP|REUTERS|Reuters|Xinhua|EPA|TASS|Getty Images)"
    r"(?:\s*(?:/|Photo)[^()]{0,60})?\)\s*$|(?:/|via )\s?Getty Images\)?\.?\s*$"
)
_LINK = re.compile(
    r"^(?:[*•>▪■►-]\s*)?(?:read (?:more|also|next|the full)|also read|see also|see more|"
    r"see related|"
    r"related(?: (?:stories|articles|news|coverage|content|links?|topics?|posts?))?\s*(?:[:|]|$)|"
    r"more on this|more from|more about|more news|watch(?: live| now| more)?\s*[:|]|"
    r"watch (?:the )?video|"
    r"recommended|don'?t miss|you (?:may|might) also|most (?:read|popular|viewed)|trending|"
    r"click here|tap here|listen to|continue reading|story continues|view (?:gallery|comments|"
    r"photos)|"
    r"share (?:this|on|via)|share$|tweet$|e?mail this|print this|print$|comments?$|"
    r"leave a (?:comment|reply)|"
    r"follow us|follow @?\w+ on|like us on|join (?:us|the|our) .{0,60}(?:mailing list|newsletter|"
    r"channel|telegram)|"
    r"sign up|subscribe|log ?in\b|register (?:now|for)|download (?:the|our)|get the app|"
    r"advertisement|advertising|sponsored|promoted|skip to|back to top|"
    r"make a (?:charitable )?donation|donate\b|support (?:us|our|independent)|"
    r"united24|(?:this site|we) uses? cookies|accept (?:all )?cookies|privacy policy|"
    r"terms of (?:use|service)|"
    r"contact us|about us|©|\(c\) ?\d{4}|copyright\b|all rights reserved|"
    r"this article (?:was )?(?:first|originally)|"
    r"this story (?:was |has been )|(?:additional )?(?:reporting|writing|editing) by\b|"
    r"our standards:|"
    r"\(?(?:reporting|editing|writing|compiled) by\b|for more information|newsletter)",
    re.IGNORECASE,
)
_FOOTER = re.compile(
    r"(?:all rights reserved|mailing list|terms of (?:use|service)|privacy policy)\W*$|^©",
    re.IGNORECASE,
)
_BYLINE = re.compile(r"^(?:by|from|posted by|written by|author:?)\s+[A-Z]", re.IGNORECASE)
_STAMP = re.compile(
    r"^(?:(?:updated|published|posted|last (?:updated|modified))\b|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day,?\s+(?:\d|[a-z]+\s+\d)|"
    r"\d{1,2}[:.]\d{2}\s*(?:[ap]\.?m|gmt|utc|est|edt|bst)?\b|\d{4}-\d\d-\d\d\b|"
    r"\d{1,2}/\d{1,2}/\d{2,4}\b|"
    r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.? \d{1,2},? \d{4}\b)",
    re.IGNORECASE,
)
_DATELINE = re.compile(
    r"[A-Z][A-Z.'’ /-]{2,40}(?:,\s*[A-Z][\w. ]{1,25}){0,2}(?:,\s*[A-Z][a-z]+\.? \d{1,2})?\s*"
    r"(?:\([^()\n]{2,40}\)\s*)?(?:--|[-–—])\s+"
    r"|(?:[A-Z][\w.'’-]* ?){1,4}(?:,\s*[A-Z][\w. ]{1,25}){0,2}\s*"
    r"\((?:AP|AFP|UPI|Reuters|REUTERS|Xinhua|TASS|CNN|dpa|ANI|PTI|IANS|Bloomberg|Sputnik|Kyodo|"
    r"Yonhap)\)\s*"
    r"(?:--|[-–—])\s*"
)
# It takes a whole run in any case, what follows is checked after: a pattern that had to be followed
# by a blank would be tried from each dot of a long run, in time that grows with its square.
_BREAK = re.compile(r"([.!?…。！？][.!?…。！？]*)(['\"’”»›)\]]*)")
_BEFORE = re.compile(r"[\w.&’'-]+$")
_ABBREVIATIONS = frozenset(
    "mr mrs ms mx dr prof gen lt col maj sgt capt cmdr adm rev hon pres gov sen rep reps sens amb "
    "st mt ft jr sr vs etc al no nos vol jan feb mar apr jun jul aug sep sept oct nov dec mon "
    "tue tues "
    "wed thu thurs fri sat sun inc ltd co corp bros dept est approx e.g i.e cf fig ave blvd rd "
    "ala ariz ark calif colo conn del fla ga ill ind kan ky la md mass mich minn miss mo mont "
    "neb nev "
    "okla ore pa tenn tex va vt wash wis wyo messrs mmes msgr supt det insp brig pvt cpl".split()
)
# In small letters these are words: “the room where they sat. The envoy …”.
_CAPITALISED_ABBREVIATIONS_ONLY = frozenset(
    "mar sat sun wed ill mass miss ore wash ala ark".split()
)
_ACRONYM_STARTERS = frozenset(
    "The A An He She It They We I In On At But And However Meanwhile This That These Those His Her "
    "Its Their There As For If When While After Before Since Some Many Both".split()
)
# Words after a closing mark that show that the sentence goes on: ‘“Really?” Smith asked.’ A colon
# after them opens the next quotation: ‘“We agree.” Smith said: “So do we.”’
_TAG = re.compile(
    r"\s+(?:(?:[A-Z][\w.'’-]*|the|a|an|his|her|one|another)\s+(?:[\w.'’-]+\s+){0,4}?)"
    r"(?:said|says|asked|asks|told|tells|wrote|writes|added|adds|replied|tweeted|continued|"
    r"responded|demanded|wondered|exclaimed|joked|explained|declared|shouted|quipped|questioned|"
    r"(?:went|goes) on(?=,)|remarked|mused|yelled|screamed|cried|laughed|shot back|retorted|"
    r"countered|snapped|inquired|pleaded|scoffed|thundered)"
    r"(?=[.,;]|\s+(?:in|on|at|to|during|of|after|when|as|late|early|last|Mon|Tues|Wed|Thurs|Fri|"
    r"Sat|Sun|"
    r"reporters|him|her|them|me|us)|$)"
    r"|\s+(?:said|says|asked|added|replied|wrote)\s+[A-Z\w]"
)


def paragraphs(article: str) -> list[Span]:
    """Returns the paragraphs, blanks at both ends left out.

    A line is a paragraph. Only a block of lines that was wrapped at a fixed width (as in e-mail) is
    taken together: lines of similar length of which one starts with a small letter.

    Args:
        article: Any text; empty gives an empty list.
    """
    found: list[Span] = []
    block_start = 0
    for blank in [*_BLANK_LINE.finditer(article), None]:
        block_end = blank.start() if blank else len(article)
        lines = [
            trimmed
            for match in _LINE.finditer(article, block_start, block_end)
            if (trimmed := trim(article, *match.span())) is not None
        ]
        if _is_wrapped(article, lines):
            found.append((lines[0][0], lines[-1][1]))
        else:
            found.extend(lines)
        block_start = blank.end() if blank else block_end
    return found


def trim(article: str, start: int, end: int) -> Span | None:
    """Returns the range without blanks at its ends, or None when nothing else is in it."""
    while start < end and article[start].isspace():
        start += 1
    while end > start and article[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None


def _is_wrapped(article: str, lines: Sequence[Span]) -> bool:
    if len(lines) < 2:
        return False
    lengths = [end - start for start, end in lines]
    longest = max(lengths)
    return (
        40 <= longest <= 100
        and all(length >= 0.6 * longest for length in lengths[:-1])
        and any(article[start].islower() for start, _ in lines[1:])
    )


def furniture(article: str, lines: Sequence[Span] | None = None) -> list[Span]:
    """Returns the paragraphs and paragraph beginnings that are not running text, in order.

    Args:
        article: The article.
        lines: Its paragraphs, when the caller has them already.

    Returns:
        Ranges of captions, link lines, headlines and site headers above the story, section labels,
        bylines, datelines (only the dateline, not the sentence after it), footers, and the second
        and later printings of a paragraph.
    """
    lines = paragraphs(article) if lines is None else lines
    body = next(
        (i for i, line in enumerate(lines) if _is_running_text(article, line)),
        None,
    )
    found: list[Span] = []
    seen: set[str] = set()
    for i, (start, end) in enumerate(lines):
        line = article[start:end] if end - start < 2000 else article[start : start + 2000]
        is_header = body is not None and i < body and end - start <= 250
        if _is_furniture_line(line, end - start, is_header, body is not None):
            found.append((start, end))
            continue
        if end - start >= 40:
            whole = article[start:end]
            if whole in seen:
                found.append((start, end))
                continue
            seen.add(whole)
        dateline = _DATELINE.match(article, start, min(end, start + 160))
        if dateline and dateline.end() < end:
            found.append((start, dateline.end()))
    return found


def _is_running_text(article: str, line: Span) -> bool:
    start, end = line
    head = article[start : min(end, start + 400)]
    return (
        end - start > 60
        and bool(_FINAL.search(article, max(start, end - 6), end))
        and not _CAPTION.match(head)
        and not _LINK.match(head)
        and not _has_credit(article, max(start, end - 100), end)
    )


def _has_credit(text: str, start: int, end: int) -> bool:
    """Whether a range ends with who took a photograph."""
    may = text.find("(", start, end) >= 0 or text.find("Getty", start, end) >= 0
    return may and _CREDIT.search(text, start, end) is not None


def _is_furniture_line(line: str, length: int, is_header: bool, has_body: bool) -> bool:
    if length > 600 or length < 4:
        return False
    # What ends a line is looked for at its end only: a search from its start costs four times as
    # much as all the rest.
    ended = bool(_FINAL.search(line, max(0, length - 8)))
    if _CAPTION.match(line) or _has_credit(line, max(0, length - 180), len(line)):
        return True
    if length < 160 and (not ended or length < 60) and _LINK.match(line):
        return True
    if length < 300 and (line[0] == "©" or _FOOTER.search(line, max(0, length - 40))):
        return True
    if not has_body or ended:
        return False
    words = line.count(" ") + 1
    quoted = any(mark in line for mark in '"“”«»„')
    if is_header:
        return True
    if length < 100 and (_BYLINE.match(line) or _STAMP.match(line)):
        return True
    return words <= 6 and not quoted and ":" not in line


def sentences(
    article: str, start: int = 0, end: int | None = None, atomic: Sequence[Span] = ()
) -> list[Span]:
    """Returns the sentences of one paragraph.

    A full stop inside an abbreviation, a number or an initial ends nothing. Closing quotation marks
    and brackets belong to the sentence that they end.

    Args:
        article: The article.
        start: Start of the paragraph.
        end: End of the paragraph; None is the end of the text.
        atomic: Sorted ranges that are never cut, such as quotations; a sentence may end where one
            ends.

    Returns:
        Ranges in order that together cover every character that is not blank; a sentence longer
        than ``MAX_SENTENCE`` characters outside atomic ranges is cut at a blank.
    """
    end = len(article) if end is None else end
    found: list[Span] = []
    last = start
    region = 0
    for match in _BREAK.finditer(article, start, end):
        stop = match.end()
        if stop < end and not article[stop].isspace():
            continue
        while region < len(atomic) and atomic[region][1] < stop:
            region += 1
        if region < len(atomic) and atomic[region][0] < match.start(1) and stop < atomic[region][1]:
            continue
        if match.start() < last or not _ends_sentence(article, match, end):
            continue
        found.append((last, stop))
        last = stop
    found.append((last, end))
    whole = [span for raw in found if (span := trim(article, *raw)) is not None]
    return [piece for span in whole for piece in _cut_long(article, span, atomic)]


def _ends_sentence(article: str, match: re.Match[str], end: int) -> bool:
    stop = match.end()
    after = article[stop : stop + 80].lstrip()
    if not after or stop >= end:
        return True
    following = after[0]
    if following.islower() or following in ",;:)—–-―~":
        return False
    if match.group(2):
        return not _TAG.match(article, stop, min(end, stop + 120))
    if match.group(1) != ".":
        return True
    before = _BEFORE.search(article, max(0, match.start() - 20), match.start())
    word = before.group() if before else ""
    if len(word) == 1 and word.isupper() and word != "I":
        return False
    if "." in word and re.fullmatch(r"(?:[A-Za-z]\.)+[A-Za-z]", word):
        return re.split(r"[^\w]", after, maxsplit=1)[0] in _ACRONYM_STARTERS
    if word in _CAPITALISED_ABBREVIATIONS_ONLY:
        return True
    if word in {"no", "nos"} and not following.isdigit():
        return True  # “Costa said no. She left.”
    if word.lower() in _ABBREVIATIONS:
        return word.lower() in {"etc", "inc", "ltd", "co", "corp", "jr", "sr"} and (
            re.split(r"[^\w]", after, maxsplit=1)[0] in _ACRONYM_STARTERS
        )
    return True


def _cut_long(article: str, span: Span, atomic: Sequence[Span]) -> list[Span]:
    start, end = span
    if end - start <= MAX_SENTENCE:
        return [span]
    pieces: list[Span] = []
    index = bisect_right(atomic, start, key=lambda region: region[1])
    while end - start > MAX_SENTENCE:
        cut = article.rfind(" ", start + 1, start + MAX_SENTENCE)
        cut = start + MAX_SENTENCE if cut < 0 else cut
        while index < len(atomic) and atomic[index][1] <= cut:
            index += 1
        if index < len(atomic) and atomic[index][0] < cut:
            cut = atomic[index][0] if atomic[index][0] > start else atomic[index][1]
        if cut >= end:
            break
        if (piece := trim(article, start, cut)) is not None:
            pieces.append(piece)
        start = cut
    if (piece := trim(article, start, end)) is not None:
        pieces.append(piece)
    return pieces
