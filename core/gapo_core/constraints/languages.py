"""Language identification, offline and deterministic: langdetect's n-gram model in its Rust port."""

from functools import lru_cache

from langdetect_rs.detector_factory import PROFILES_DIRECTORY, DetectorFactory
from langdetect_rs.lang_detect_exception import LangDetectException

from gapo_core.constraints.document import encodable

LANGUAGES = {
    **{"af": "Afrikaans", "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech"},
    **{"cy": "Welsh", "da": "Danish", "de": "German", "el": "Greek", "en": "English", "es": "Spanish"},
    **{"et": "Estonian", "fa": "Persian", "fi": "Finnish", "fr": "French", "gu": "Gujarati", "he": "Hebrew"},
    **{"hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese"},
    **{"kn": "Kannada", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "mk": "Macedonian", "ml": "Malayalam"},
    **{"mr": "Marathi", "ne": "Nepali", "nl": "Dutch", "no": "Norwegian", "pa": "Punjabi", "pl": "Polish"},
    **{"pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovenian", "so": "Somali"},
    **{"sq": "Albanian", "sv": "Swedish", "sw": "Swahili", "ta": "Tamil", "te": "Telugu", "th": "Thai"},
    **{"tl": "Tagalog", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese"},
    **{"zh": "Chinese", "zh-cn": "Simplified Chinese", "zh-tw": "Traditional Chinese"},
}

ENOUGH = 1_000  # characters, behind which a verdict hardly changes
REFERENCE_DRAWS = 11  # odd, so that a majority exists


@lru_cache(maxsize=1)
def _factory() -> DetectorFactory:
    factory = DetectorFactory()
    factory.load_profile(PROFILES_DIRECTORY)
    return factory


def _probabilities(text: str, seed: int) -> dict[str, float]:
    detector = _factory().create()
    detector.seed = seed
    detector.append(text)
    try:
        return {found.lang: found.prob for found in detector.get_probabilities()}
    except LangDetectException:  # no letters of a known script
        return {}


@lru_cache(maxsize=1024)
def identify(text: str) -> dict[str, float]:
    """Probabilities of the likely languages of the first `ENOUGH` characters; empty where no letter tells.

    Case does not count: the model was trained on running text and takes capitals for German.
    """
    found = _probabilities(encodable(text[:ENOUGH]).lower(), 0)
    if chinese := found.get("zh-cn", 0.0) + found.get("zh-tw", 0.0):
        found["zh"] = chinese
    return found


@lru_cache(maxsize=1024)
def reference_accepts(text: str, language: str) -> bool:
    """What the reference, which draws an unseeded random number, says most often: `langdetect.detect` gives
    this language, or finds nothing to go by."""
    text = encodable(text)
    draws = (_probabilities(text, seed) for seed in range(REFERENCE_DRAWS))
    accepted = sum(not found or max(found, key=lambda code: found[code]) == language for found in draws)
    return 2 * accepted > REFERENCE_DRAWS
