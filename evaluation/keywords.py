"""The keyword baseline: ordered rules over words, as one would write them without a model.

Written from the codebook's definitions alone; nothing here was chosen by looking at any test data.
"""

from __future__ import annotations

import re
from typing import Final

from stance.labels import SentimentLabel, StanceLabel


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(patterns) + r")\b", re.IGNORECASE)


#: An "if" that opens no condition: codebook, "Deciding", rule 3. Taken out before the search.
NOT_A_CONDITION: Final = _words(
    r"even if",
    r"as if",
    r"if (?:i|we) may",
    r"if you (?:like|will|look|ask|remember|please)",
    r"if (?:anything|any|at all|not|only|so)",
    r"(?:know|asked?|asking|see|wonder(?:s|ed)?|unclear|sure|say|decide[ds]?) if",
    r"whether or not",
    r"no matter",
    r"if (?:they|he|she|it|you|we) had",
    r"once (?:again|more|and for all|upon|before)",
    r"at once",
    r"(?:up )?until (?:now|today|recently|yesterday|then)",
    r"as long as (?:i|we) can remember",
)
CONDITION: Final = _words(
    r"if",
    r"unless",
    r"provided(?: that)?",
    r"providing that",
    r"as soon as",
    r"as long as",
    r"so long as",
    r"only (?:when|after|once)",
    r"once",
    r"not (?:until|before)",
    r"until",
    r"on (?:the )?condition(?: that)?",
    r"conditional (?:on|upon)",
    r"contingent (?:on|upon)",
    r"depend(?:s|ing|ent)? (?:on|upon)",
    r"hinges? (?:on|upon)",
    r"subject to",
    r"in exchange(?: for)?",
    r"in return(?: for)?",
    r"must (?:first|come first)",
    r"(?:pre)?conditions? (?:is|are|for|that)",
    r"should (?:they|he|she|it|the \w+|\w+) (?:agree|accept|refuse|fail|sign|withdraw|return|stop)",
    r"were (?:they|he|she|it|the \w+) to",
    r"or else",
    r"otherwise",
    r"the (?:day|moment|hour|minute) (?:the|they|he|she|it|that|you|\w+)",
    r"assuming(?: that)?",
    r"in the event",
    r"insofar as",
    r"reciprocat\w+",
    r"without (?:\w+ )?(?:guarantees?|assurances?),? (?:there|we|no)",
)
REFUSAL: Final = _words(
    r"unacceptable",
    r"reject(?:s|ed|ing|ion)?",
    r"refus(?:e|es|ed|ing|al)",
    r"den(?:y|ies|ied|ying|ial)",
    r"condemn(?:s|ed|ing|ation)?",
    r"accus(?:e|es|ed|ing|ations?)",
    r"blam(?:e|es|ed|ing)",
    r"(?:will|would|can|shall|could|must) (?:never|not)",
    r"won't",
    r"cannot",
    r"can't",
    r"never",
    r"non-?starter",
    r"out of the question",
    r"no (?:point|sense|reason|chance|intention|plans?|question|way|deal)",
    r"nonsense",
    r"absurd",
    r"ridiculous",
    r"laughable",
    r"baseless",
    r"groundless",
    r"fabricat\w+",
    r"lies?",
    r"liars?",
    r"farce",
    r"provocat\w+",
    r"aggress\w+",
    r"illegal",
    r"violat\w+",
    r"betray\w*",
    r"terroris\w+",
    r"responsible for",
    r"threat(?:s|en\w*)?",
    r"retaliat\w+",
    r"regret it",
    r"consequences",
    r"pay (?:a|the) price",
    r"ultimatum",
    r"blackmail",
    r"hypocri\w+",
    r"shameful",
    r"outrageous",
    r"hostile",
    r"meaningless",
    r"pointless",
    r"waste of time",
)
OPENING: Final = _words(
    r"welcom(?:e|es|ed|ing)",
    r"ready to",
    r"willing(?:ness)?",
    r"agree(?:s|d)? (?:to|on|with)",
    r"accept(?:s|ed|ing)?",
    r"thank(?:s|ed|ful)?",
    r"grateful",
    r"gratitude",
    r"appreciat\w+",
    r"hop(?:e|es|ed|ing|eful)",
    r"optimis\w+",
    r"cooperat\w+",
    r"partner(?:s|ship)?",
    r"dialogue",
    r"compromise",
    r"reconcil\w+",
    r"friend(?:s|ly|ship)?",
    r"support(?:s|ed|ing)?",
    r"commit(?:ted|ment)",
    r"look(?:s|ing)? forward",
    r"open to",
    r"door (?:is|remains|stays) open",
    r"good faith",
    r"constructive",
    r"together",
    r"progress",
    r"encourag\w+",
    r"congratulat\w+",
    r"peaceful(?:ly)?",
    r"negotiated",
    r"common ground",
    r"extend(?:s|ed)? (?:a|our) hand",
    r"priority",
    r"offer(?:s|ed|ing)?",
)
POSITIVE: Final = _words(
    r"welcom\w+",
    r"glad",
    r"happy",
    r"pleased",
    r"delighted",
    r"grateful",
    r"thank\w*",
    r"appreciat\w+",
    r"hope\w*",
    r"hoping",
    r"optimis\w+",
    r"good",
    r"great",
    r"excellent",
    r"historic",
    r"progress",
    r"success\w*",
    r"constructive",
    r"encourag\w+",
    r"proud",
    r"praise\w*",
    r"friend(?:s|ly|ship)?",
    r"congratulat\w+",
    r"generous",
    r"warm\w*",
    r"confident",
    r"breakthrough",
    r"promising",
    r"better",
)
NEGATIVE: Final = _words(
    r"unacceptable",
    r"reject\w*",
    r"condemn\w*",
    r"regret\w*",
    r"worr(?:y|ies|ied|ying)",
    r"concern(?:s|ed|ing)?",
    r"threat\w*",
    r"danger\w*",
    r"fear\w*",
    r"ang(?:er|ry)",
    r"outrag\w+",
    r"sham(?:e|eful)",
    r"lies?",
    r"absurd",
    r"nonsense",
    r"aggress\w+",
    r"provocat\w+",
    r"illegal",
    r"violat\w+",
    r"fail\w*",
    r"crime\w*",
    r"criminal\w*",
    r"victims?",
    r"kill\w*",
    r"blood\w*",
    r"betray\w*",
    r"collaps\w+",
    r"crisis",
    r"bad",
    r"worse",
    r"disappoint\w+",
    r"blam\w+",
    r"accus\w+",
    r"hostil\w+",
    r"terroris\w+",
    r"consequences",
    r"insult\w*",
    r"mock\w*",
    r"tragic",
    r"tragedy",
    r"unfortunate\w*",
    r"sad(?:ly)?",
)
#: What follows one of these decides: codebook, "Deciding", rule 1.
TURN: Final = re.compile(r"[,;.—–-]\s*(?:but|however|yet|still|nevertheless)\b", re.IGNORECASE)


def stance_by_keywords(text: str) -> StanceLabel:
    """Returns the stance by rule: an open condition, else the side with more words, else neutral.

    What follows the last *but* decides when it decides anything.

    Example:
        >>> stance_by_keywords("We welcome the text, but these terms are unacceptable.")
        'dismissive'
        >>> stance_by_keywords("Sign, and only then in exchange for that will we open the port.")
        'conditional'
        >>> stance_by_keywords("The talks open on Monday.")
        'neutral'
    """
    plain = text.replace("’", "'")
    if CONDITION.search(NOT_A_CONDITION.sub(" ", plain)):
        return "conditional"
    for part in (TURN.split(plain)[-1], plain):
        refusals, openings = len(REFUSAL.findall(part)), len(OPENING.findall(part))
        if refusals or openings:
            return "dismissive" if refusals >= openings else "conciliatory"
    return "neutral"


def sentiment_by_keywords(text: str) -> SentimentLabel:
    """Returns the tone with more words in the quote; neutral when they balance.

    Example:
        >>> sentiment_by_keywords("A historic and encouraging step.")
        'positive'
    """
    plain = text.replace("’", "'")
    balance = len(POSITIVE.findall(plain)) - len(NEGATIVE.findall(plain))
    return "positive" if balance > 0 else "negative" if balance < 0 else "neutral"
