"""English words by what they are for, as the reference checkers and grammars list them."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


CONJUNCTIONS = _words("for and nor but or yet so")

# The fifty names that the published prompts give, in their order.
NAMES = _words(
    """
    Emma Liam Sophia Jackson Olivia Noah Ava Lucas Isabella Mason Mia Ethan Charlotte Alexander Amelia Benjamin
    Harper Leo Zoe Daniel Chloe Samuel Lily Matthew Grace Owen Abigail Gabriel Ella Jacob Scarlett Nathan Victoria
    Elijah Layla Nicholas Audrey David Hannah Christopher Penelope Thomas Nora Andrew Aria Joseph Claire Ryan Stella
    Jonathan
    """
)

PRONOUNS = frozenset(
    _words(
        """
        i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself she her
        hers herself it its itself they them their theirs themselves this that these those who whom whose which what
        whoever whomever whatever whichever anybody anyone anything everybody everyone everything nobody nothing
        somebody someone something each either neither both all some any none
        """
    )
)

FIRST_PERSON = frozenset(_words("i me my mine myself we us our ours ourselves"))

# The English list of NLTK, which the reference reads: Porter's, with the pieces that contractions leave.
STOP_WORDS = frozenset(
    _words(
        """
        i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she her hers
        herself it its itself they them their theirs themselves what which who whom this that these those am is are
        was were be been being have has had having do does did doing a an the and but if or because as until while of
        at by for with about against between into through during before after above below to from up down in out on
        off over under again further then once here there when where why how all any both each few more most other
        some such no nor not only own same so than too very s t can will just don should now d ll m o re ve y ain aren
        couldn didn doesn hadn hasn haven isn ma mightn mustn needn shan shouldn wasn weren won wouldn
        """
    )
)

# Words that title case leaves small: articles, conjunctions, prepositions and "to".
MINOR_WORDS = frozenset(
    _words(
        """
        a an the and but for nor or so yet as at by in of off on onto out over per to up via from into like near past
        than till upon with vs vs. if v de la el von van der da di le du en et y about above across after against
        along among around before behind below beneath beside between beyond despite down during except inside outside
        since through throughout toward towards under underneath until within without
        """
    )
)

AUXILIARIES = frozenset(
    _words(
        """
        be am is are was were been being do does did done doing have has had having can could may might must shall
        should will would let let's don't doesn't didn't isn't aren't wasn't weren't can't couldn't won't wouldn't
        shouldn't haven't hasn't hadn't
        """
    )
)

# What follows a verb rather than a noun: "Use the", "Set your", "Run it".
OBJECTS = frozenset(_words("a an the my your his her its our their this that these those it them me us him yourself"))

# "One" is left out: it is a pronoun more often than a number.
SPELLED_NUMBERS = frozenset(
    _words(
        """
        zero two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
        eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion
        """
    )
)

# Behind most words 's is a possessive, or a contraction of "is" or "has". No possessive stands before these …
AFTER_IS = frozenset(_words("a an the not no been got going gone my your our their"))
# … these may be said of what is owned ("the team's very best") or begin what is said ("the team's very glad") …
AFTER_EITHER = frozenset(
    _words("here there in on at with from about very so too just still already always never also really quite ready")
)
# … these are said of somebody, and may be owned by others ("nobody's home", "the family's home").
AFTER_ANYONE = frozenset(_words("home fine wrong right ok okay happy sure perfect"))
# What is owned, more often than what goes on.
NOUNS_IN_ING = frozenset(
    _words(
        """
        bearing beginning being branding building ceiling clothing crossing drawing ending engineering evening feeling
        funding greeting hearing housing king landing lighting marketing meeting morning offering opening painting
        parking pricing ranking rating reading ring saying setting shipping spending spring standing sting string swing
        teaching thing thinking timing training understanding upbringing warning wedding wellbeing wing writing
        """
    )
)

# Capitalized words that start a sentence before "I"; another one may be a name ("Elizabeth I", "Appendix I").
BEFORE_I = STOP_WORDS | frozenset(
    _words(
        """
        also although always anything could even everything first hello hi however instead last later may maybe might
        must never next nothing often one otherwise people perhaps shall since someone something sometimes soon sorry
        still thanks therefore things though today tomorrow tonight unless well whatever whenever wherever would yes
        yesterday yet
        """
    )
)
SAID_OF_I = frozenset(_words("am have do think know want"))  # what follows no noun in the singular
BEFORE_MINE = frozenset(_words("is are was were be been it's that's of than"))
