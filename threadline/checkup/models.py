"""Models: whether what is needed to ask them is set. None is asked, since that costs money."""

from collections.abc import Collection, Iterator

from services.kit.groups import ModelSettings
from services.kit.redaction import Redactor
from threadline.checkup.finding import Finding, fine, note, wrong

SUBJECT = "models"


def look_at_keys(names: Collection[str], settings: ModelSettings, who: str) -> Iterator[Finding]:
    """The keys and addresses of the models with these names."""
    asked = {name.partition(":")[0] for name in names}
    if "openai" in asked and settings.openai_api_key is None:
        if settings.openai_base_url is None:
            yield wrong(SUBJECT, f"{who} openai: models, and there is no key", "set OPENAI_API_KEY")
        else:
            at = Redactor()(settings.openai_base_url)
            yield note(SUBJECT, f"OPENAI_API_KEY is not set; {at} may do without", "set it")
    if "anthropic" in asked and settings.anthropic_api_key is None:
        yield wrong(SUBJECT, f"{who} anthropic: models, and there is no key", "set ANTHROPIC_API_KEY")


def look_at(name: str, fallback: str | None, settings: ModelSettings) -> Iterator[Finding]:
    """The one that answers where an agent names none, and the one that is asked where that one cannot."""
    if name == "rehearsal":
        yield fine(SUBJECT, "the built-in rehearsal answers, which needs no key; THREADLINE_MODEL names another")
        return
    found = list(look_at_keys([name, fallback or name], settings, "THREADLINE_MODEL and its fallback ask"))
    addresses = {
        "openai": settings.openai_base_url,
        "anthropic": settings.anthropic_base_url,
        "ollama": settings.ollama_base_url,
    }
    address = addresses.get(name.partition(":")[0])
    if all(each.state != "wrong" for each in found):
        where = f", at {Redactor()(address)}" if address else ""
        yield fine(SUBJECT, f"{name} answers{where}; it was not asked, since that may cost money")
    yield from found
