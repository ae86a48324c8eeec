"""Closed word lists behind the lexical rules: reporting verbs, function words, roles, places.

A reporting verb has one or more frames, which say what may follow it as the content of a quote:

- ``say``: a clause without "that", or a quotation on either side ("said", "wrote");
- ``that``: a clause, "that" or a pronoun in front ("believes", "signalled");
- ``np``: a noun phrase ("denies the allegations", "accuse Moscow of …");
- ``to``: an infinitive ("refused to …", "offering to …");
- ``for`` / ``on`` / ``of`` / ``about`` …: a phrase with that preposition ("called for …").

The verbs were picked by hand. Most come from a count of how often each form attributes something in
the training part of PolNeAR (https://github.com/networkdynamics/PolNeAR, LREC 2018); the rarer ones
were added as their synonyms without a count. Verbs that mostly mean deeds in diplomatic news
("attack", "order") were left out.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

_FRAMES: Final = """
say say write: say
say note add announce reveal confirm explain stress state declare tweet recall: say np
say insist conclude complain joke retort quip reply remark shout murmur mutter exclaim lament: say
say reiterate emphasise emphasize underline underscore acknowledge concede admit: say np
say allege contend maintain affirm assert boast argue claim testify swear reckon caution: say
say repeat continue respond answer counter ask wonder demand agree disagree: say
say predict warn mention disclose observe report suggest propose clarify opine: say
say tell inform remind assure ask advise: say
that believe think hope feel signal indicate imply realize realise suspect fear worry: that
that argue suggest acknowledge predict assert reveal disclose doubt expect understand learn: that
that recommend pledge promise vow threaten decide conclude estimate complain confirm: that
that know deem assume anticipate guarantee propose demand insist agree caution deny: that
np suggest predict propose recommend report accuse deny reject criticize criticise welcome: np
np condemn dismiss denounce slam blast urge praise hail endorse blame applaud commend thank: np
np oppose defend mock question describe cite mention portray characterize characterise: np
np reiterate emphasize emphasise underline underscore acknowledge admit: np
np decry deplore rebuff rebuke ridicule rebut refute echo voice laud tout lambast lambaste: np
np call discuss encourage support propose recommend discourage advocate: np
np deride disparage disavow denigrate salute demand dispute compliment congratulate: np
np reproach scold berate chide castigate reprimand admonish excoriate assail belittle disown: np
np favor favour warn pledge promise rule caution lament express raise: np
np rubbish brand label liken admire disclaim tell ask want announce promise beseech implore: np
np expect wish: np
np decline stress detail outline recount bemoan blame confirm oppose contradict debunk question: np
to vow refuse promise pledge threaten agree offer decline want hope urge plan seek intend: to
to demand ask wish long ache prefer swear volunteer propose claim: to
for call advocate hope: for
on call insist: on
of complain warn boast approve disapprove speak accuse: of
about complain warn boast worry ask talk joke wonder: about
against warn rail argue protest inveigh: against
to_np object respond react: to_np
out rule: out
"""

_IRREGULAR: Final[dict[str, tuple[str, ...]]] = {
    "say": ("says", "said", "saying"),
    "tell": ("tells", "told", "telling"),
    "write": ("writes", "wrote", "writing"),
    "think": ("thinks", "thought", "thinking"),
    "feel": ("feels", "felt", "feeling"),
    "know": ("knows", "knew", "knowing"),
    "swear": ("swears", "swore", "swearing"),
    "understand": ("understands", "understood", "understanding"),
    "speak": ("speaks", "spoke", "speaking"),
    "seek": ("seeks", "sought", "seeking"),
    "learn": ("learns", "learned", "learning"),
    "signal": ("signals", "signaled", "signaling", "signalled", "signalling"),
    "label": ("labels", "labeled", "labeling", "labelled", "labelling"),
    "admit": ("admits", "admitted", "admitting"),
    "rebut": ("rebuts", "rebutted", "rebutting"),
    "slam": ("slams", "slammed", "slamming"),
    "plan": ("plans", "planned", "planning"),
    "refer": ("refers", "referred", "referring"),
    "prefer": ("prefers", "preferred", "preferring"),
    "quip": ("quips", "quipped", "quipping"),
    "deride": ("derides", "derided", "deriding"),
}


class VerbForm(NamedTuple):
    """One inflected form: its lemma and whether it is base, third person, past or participle."""

    lemma: str
    form: str  # "base", "s", "past", "ing"


def _inflect(lemma: str) -> dict[str, str]:
    if lemma in _IRREGULAR:
        third, past, participle, *rest = _IRREGULAR[lemma]
        extra = {rest[0]: "past", rest[1]: "ing"} if rest else {}
        return {lemma: "base", third: "s", past: "past", participle: "ing", **extra}
    if lemma.endswith("y") and lemma[-2] not in "aeiou":
        return {
            lemma: "base",
            lemma[:-1] + "ies": "s",
            lemma[:-1] + "ied": "past",
            lemma + "ing": "ing",
        }
    third = lemma + ("es" if lemma.endswith(("s", "sh", "ch", "x")) else "s")
    if lemma.endswith("ee"):
        return {lemma: "base", third: "s", lemma + "d": "past", lemma + "ing": "ing"}
    if lemma.endswith("e"):
        return {lemma: "base", third: "s", lemma + "d": "past", lemma[:-1] + "ing": "ing"}
    return {lemma: "base", third: "s", lemma + "ed": "past", lemma + "ing": "ing"}


@lru_cache(maxsize=1)
def frames() -> dict[str, frozenset[str]]:
    """Returns lemma to its frames."""
    table: dict[str, set[str]] = {}
    for line in _FRAMES.strip().splitlines():
        head, names = line.rsplit(":", 1)
        for lemma in head.split()[1:]:
            table.setdefault(lemma, set()).update(names.split())
    return {lemma: frozenset(names) for lemma, names in table.items()}


@lru_cache(maxsize=1)
def verb_forms() -> dict[str, VerbForm]:
    """Returns lower-case form to its lemma and form, for every reporting verb."""
    table: dict[str, VerbForm] = {}
    for lemma in frames():
        for form, name in _inflect(lemma).items():
            table.setdefault(form, VerbForm(lemma, name))
    return table


def words(text: str) -> frozenset[str]:
    """Returns the words of a blank-separated list."""
    return frozenset(text.split())


# Verbs of belief, hope, knowledge, wish and plan: nobody need have said what they report.
MENTAL: Final = words(
    "believe think hope feel realize realise suspect fear worry doubt expect understand learn know "
    "deem assume anticipate reckon want plan seek intend wish prefer long ache decide estimate "
    "favor favour admire be"
)

# What follows these is what somebody spoke about, when what was said comes after it.
TOPICAL: Final = words("defend discuss describe mention question detail outline recount")

# Forms that are nouns more often than verbs: they need a plain subject right before them.
NOUN_LIKE: Final = words(
    "claims claim reports report notes note plans plan calls call hopes hope demands demand wishes "
    "wish fears fear doubts doubt offers offer promises promise pledges pledge vows vow threats "
    "warning writing saying meaning feeling questions question attacks attack supports support "
    "comments comment remarks remark estimates estimate decision orders order praise blame "
    "protests "
    "protest challenge challenges mention mentions favor favors favour answer answers counter "
    "state "
    "states voice voices raise raises ask echo echoes talk talks joke jokes details detail dispute "
    "disputes label labels brand brands signal signals worry worries point points long view views "
    "outline outlines thought understanding learning planning rubbish rule rules invite thanks "
    "rebuke"
)

PRONOUNS: Final = words("he she they it we i you")
OBJECT_PRONOUNS: Final = words("him her them me us you it himself herself themselves")
POSSESSIVES: Final = words("his her their its our my your")
DETERMINERS: Final = (
    words(
        "the a an this these those some many most several both all any no another other each "
        "every few "
        "such only one two three four five six seven eight nine ten dozens hundreds thousands"
    )
    | POSSESSIVES
)
NUMBERS: Final = words(
    "one two three four five six seven eight nine ten dozens hundreds thousands half"
)
AUXILIARIES: Final = words(
    "has have had is are was were be been being am do does did will would shall should can could "
    "may "
    "might must 's ’s 've ’ve 'd ’d 're ’re 'll ’ll hasn't haven't hadn't isn't aren't wasn't "
    "weren't "
    "doesn't don't didn't won't wouldn't can't cannot couldn't shouldn't hasn’t haven’t hadn’t "
    "isn’t "
    "aren’t wasn’t weren’t doesn’t don’t didn’t won’t wouldn’t can’t couldn’t shouldn’t"
)
NEGATIONS: Final = words("not never n't n’t") | frozenset(
    word for word in AUXILIARIES if word.endswith(("n't", "n’t")) or word == "cannot"
)
PASSIVE_AUXILIARIES: Final = words("is are was were be been being am 's ’s 're ’re get got")
ADVERBS: Final = words(
    "also then later still now once again already even just always often never not ever only soon "
    "recently repeatedly however meanwhile further first instead though too yesterday today "
    "initially "
    "reportedly thus therefore earlier previously long himself herself itself themselves"
)
PREPOSITIONS: Final = words(
    "of for from at in on with to by under behind near against among between within outside inside "
    "about over through during via into across towards toward around"
)
SUBORDINATORS: Final = words(
    "that which who whom whose where when while after before because since although though as if "
    "unless until whether but or so than what how why nor yet once despite amid including like "
    "without except whereas"
)
TIMES: Final = words(
    "monday tuesday wednesday thursday friday saturday sunday today yesterday tonight january "
    "february "
    "march april may june july august september october november december jan feb mar apr jun "
    "jul aug "
    "sep sept oct nov dec jan. feb. mar. apr. jun. jul. aug. sep. sept. oct. nov. dec. mon tue "
    "wed thu "
    "fri sat sun morning afternoon evening night week month year weekend late early earlier "
    "later last "
    "this next ago recently then again separately meanwhile afterwards afterward shortly days "
    "weeks "
    "months hours minutes years"
)
# Finite verbs that are no reporting verbs: they show where a subject ends and that a clause is one.
FINITE: Final = AUXILIARIES | words(
    "went took made gave hit left came began held kept led lost won sent stood struck sought saw "
    "met "
    "got put set ran rose fell found brought built bought broke chose cut drew drove grew let "
    "meant "
    "paid read sat shot showed spent spread threw taught wants needs means seems appears remains "
    "became become becomes becoming makes takes gives goes comes gets keeps leads leaves shows "
    "sees "
    "finds helps plays faces holds starts begins follows continues includes requires wins stands "
    "lies dies lives works runs speaks meets moves allows lets puts sets tries uses looks turns "
    "dashed "
    "hopes need want know think believe say see go come make take give get keep help let thinks "
    "feels "
    "believes knows wore bore fought felt fled forgot heard hid hurt knew laid lay rode sang shook "
    "slept sold spoke stole stuck swept swore understood withdrew woke wrote"
)
# Words in -ed or -s before a noun that look like finite verbs and are none.
NOT_FINITE: Final = words(
    "united armed hundred sacred naked wicked indeed need speed seed breed feed red bed led "
    "alleged "
    "so-called proposed unnamed limited exiled jailed ousted disputed occupied retired seasoned "
    "kindred "
    "advanced detailed"
)
TO_VERB: Final = words("told tells telling tell inform informs informed informing remind reminds")

PLACES: Final = words(
    "at in on during after before from to by via through with for under outside inside near "
    "following "
    "ahead upon about amid against into over as while when"
)

# Verbs that only speak of a quotation beside them: “…,” he laughed.
LOOSE: Final = words(
    "laughed laughs smiled sighed cried shrugged sneered snapped thundered began begins went "
    "read reads "
    "goes concluded fumed raged scoffed grinned nodded intoned enthused gushed mused noted offered "
    "pleaded joked confided recited sang chanted yelled screamed whispered bellowed barked hissed "
    "cracked deadpanned shot posited theorized opined blared boomed sniped conceded volunteered "
    "ventured reasoned countered cautioned elaborated interjected interrupted urged pressed posted "
    "texted emailed e-mailed read"
)

ROLE_NOUNS: Final = words(
    "minister president secretary envoy representative spokesman spokeswoman spokesperson "
    "ambassador "
    "senator congressman congresswoman chancellor premier pm king queen prince princess pope "
    "general "
    "colonel admiral captain commander chief chairman chairwoman chair director governor mayor "
    "judge "
    "justice attorney lawyer professor leader deputy negotiator diplomat official officer adviser "
    "advisor aide analyst expert economist historian author writer reporter correspondent editor "
    "candidate nominee lawmaker legislator commissioner coordinator strategist consultant manager "
    "executive founder head member activist critic scholar researcher scientist doctor surgeon "
    "bishop archbishop cardinal rabbi imam reverend ayatollah sheikh emir sultan emperor dictator "
    "counterpart predecessor successor opponent rival ally veteran billionaire businessman "
    "businesswoman "
    "politician speaker whip undersecretary under-secretary vice-president ceo pollster host "
    "anchor "
    "columnist commentator prosecutor sheriff detective journalist fellow mp mep sen rep gov gen "
    "lt col "
    "maj sgt adm capt dr prof mr mrs ms miss sir lady lord dame rev hon pres sen. rep. gov. gen. "
    "lt. col. "
    "maj. sgt. adm. capt. dr. prof. mr. mrs. ms. rev. hon. pres. amb. amb strongman chief-of-staff "
    "singer actor actress star wife husband son daughter brother sister mother father widow friend "
    "engineer scholar pastor priest nurse technician operative mediator interpreter colleague "
    "teacher student resident farmer owner partner director-general secretary-general spokesmen "
    "figure"
)
# Words of address: no office. “Sen.” and “Col.” are offices.
COURTESY: Final = words("mr mrs ms miss dr sir lady dame mr. mrs. ms. dr. hon. hon lord")
# Role words after which a single capitalised word is a surname.
# Words in small letters that may begin the name of a speaker after “said”.
BEFORE_NAMES: Final = words(
    "former then ex-president longtime long-time fellow retired senior veteran top local state "
    "federal "
    "current acting deputy vice prominent conservative liberal republican democratic presidential "
    "one-time onetime unnamed another"
)
TITLES: Final = COURTESY | words(
    "prof. prof rev. rev sen. sen rep. rep gov. gov gen. gen lt. lt col. col maj. maj sgt. sgt "
    "adm. adm capt. capt "
    "president minister senator congressman congresswoman chancellor ambassador general colonel "
    "admiral governor mayor judge justice professor secretary premier pope king queen prince "
    "princess "
    "chairman chairwoman commissioner captain commander sheikh ayatollah spokesman spokeswoman"
)
GROUPS: Final = words(
    "officials sources diplomats ministers leaders analysts experts lawmakers critics supporters "
    "opponents allies aides advisers advisors reporters negotiators residents activists witnesses "
    "spokesmen representatives senators authorities police prosecutors lawyers economists "
    "scientists "
    "researchers voters democrats republicans people friends relatives parents students protesters "
    "rebels militants observers scholars governments countries states nations sides"
)
ORGANISATIONS: Final = words(
    "party ministry house street university council news states union kingdom committee commission "
    "department agency court bank association institute foundation group company corporation inc "
    "corp "
    "ltd times post journal today republic federation assembly parliament congress senate navy "
    "army force "
    "forces airlines treaty agreement accord summit conference convention organization "
    "organisation "
    "association center centre college school hospital church office bureau board club league "
    "network "
    "radio television tv press agency administration government cabinet campaign embassy palace "
    "square "
    "avenue road city county province region sea ocean river strait islands island east west "
    "north south "
    "war day act bill law security nations world human rights international national start guard "
    "corps "
    "nobel olympic games cup museum fund trust authority service services intelligence"
)
DEMONYMS: Final = words(
    "russian american british chinese french german ukrainian iranian israeli indian pakistani "
    "japanese "
    "turkish syrian iraqi afghan saudi egyptian korean canadian australian mexican polish italian "
    "spanish dutch belgian swedish norwegian danish finnish greek european african asian "
    "palestinian "
    "lebanese cuban venezuelan brazilian republican democratic democrat soviet us u.s. uk u.k. "
    "eu u.n. un "
    "north south former then-president acting special senior top chief vice deputy foreign prime "
    "first "
    "presidential nato georgian armenian azeri azerbaijani belarusian kazakh serbian irish "
    "scottish "
    "catholic libyan yemeni qatari emirati jordanian sudanese ethiopian kenyan nigerian somali"
)
NOT_NAMES: Final = words(
    "the a an this that these those he she it they we i you his her its their our my in on at by "
    "for to "
    "of from with and or but if as when while after before since although though because however "
    "meanwhile also there here what who why how where which not no yes now then once both all "
    "some many "
    "most more another other such so yet still even just only despite during under over about "
    "between "
    "according last next monday tuesday wednesday thursday friday saturday sunday january "
    "february march "
    "april may june july august september october november december read file photo"
)
SPEECH_EVENTS: Final = words(
    "statement interview tweet speech conference news briefing letter email e-mail rally post "
    "message "
    "article report column op-ed memo call comments remarks address telegram video broadcast "
    "editorial "
    "press twitter facebook television radio tv testimony hearing forum summit meeting campaign "
    "event"
)
SPEECH_NOUNS: Final = words(
    "concern concerns hope hopes support regret doubt doubts confidence optimism outrage fear "
    "fears "
    "interest willingness readiness disappointment frustration opposition condolences skepticism "
    "scepticism gratitude satisfaction dismay alarm worry worries anger solidarity surprise sorrow "
    "objections questions fears objection reservations sympathy commitment desire"
)
EXPRESSING: Final = words(
    "express expresses expressed expressing voice voices voiced voicing raise raised raising raises"
)

# Capitalised names that are places or institutions and so never "he" or "she".
PLACE_NAMES: Final = words(
    "moscow washington beijing kiev kyiv london paris berlin brussels tehran jerusalem ankara "
    "riyadh "
    "pyongyang seoul tokyo delhi islamabad kabul baghdad damascus cairo kremlin pentagon "
    "congress senate "
    "parliament nato opec russia china ukraine iran israel turkey syria iraq afghanistan "
    "pakistan india "
    "japan germany france britain england italy spain greece poland hungary romania bulgaria "
    "serbia "
    "sweden norway finland denmark netherlands belgium austria switzerland canada mexico brazil "
    "argentina venezuela cuba colombia chile peru egypt libya algeria morocco tunisia sudan "
    "ethiopia "
    "kenya nigeria somalia yemen qatar oman kuwait bahrain jordan lebanon georgia armenia "
    "azerbaijan "
    "kazakhstan uzbekistan belarus moldova lithuania latvia estonia taiwan vietnam thailand "
    "indonesia "
    "malaysia philippines australia europe africa asia hamas hezbollah taliban reuters afp "
    "xinhua tass "
    "interfax cnn bbc twitter facebook google us u.s. uk u.k. eu e.u. un u.n. uae america korea "
    "myanmar "
    "cambodia bangladesh nepal vatican geneva vienna warsaw rome madrid athens minsk tbilisi "
    "yerevan baku"
)
