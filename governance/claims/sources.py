"""What is recorded of the sources: terms, owners, persons, contamination, versions?"""

from __future__ import annotations

from governance.claims.model import REPRO, Answer, Claim, Gap, Row, Table, claim, describe, describe_data, gap, said
from governance.claims.thread import Thread
from governance.claims.words import agree, ended, joined, number
from governance.records import Source

_SOURCES = gap("which sources vote, and on whose terms")


def listed(thread: Thread) -> Answer:
    """How many source versions there are, and of which kinds."""
    sources = thread.sources
    if not sources:
        return _SOURCES
    kinds: dict[str, int] = {}
    for source in sources:
        kinds[source.source_kind] = kinds.get(source.source_kind, 0) + 1
    told = joined(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    names = joined(source.title for source in sources)
    text = f"{number(len(sources), 'source version')} ({told}): {names}."
    return said(claim(text, *sources))


def table(thread: Thread) -> Table | None:
    """Every source version with its kind, owner and licences."""
    if not thread.sources:
        return None
    rows = tuple(
        Row(
            (
                f"{source.title} {source.version}",
                source.source_kind,
                source.owner or "not recorded",
                source.licence_declared or "not recorded",
                source.licence_found or "not recorded",
                "conflict" if source.licence_conflict else "agree",
            ),
            (source.name,),
        )
        for source in thread.sources
    )
    return Table("Source versions", ("Source", "Kind", "Owner", "Licence declared", "Licence found", "Licences"), rows)


def licences(thread: Thread) -> Answer:
    """Which licences are declared and found, and where the two differ."""
    sources = thread.sources
    if not sources:
        return _SOURCES
    parts: list[Claim | Gap] = []
    both = [source for source in sources if source.licence_declared and source.licence_found]
    if both:
        found = joined(sorted({source.licence_found for source in both}))
        text = (
            f"{len(both)} of {number(len(sources), 'source')} {agree(len(both), 'has', 'have')} a licence declared and one "
            f"found; found: {found}."
        )
        parts.append(claim(text, *both))
    parts += describe((source.title for source in sources if source not in both), "licence_declared", "licence_found")
    conflicts = [source for source in both if source.licence_conflict]
    for source in conflicts:
        note = f" {ended(source.licence_note)}" if source.licence_note else ""
        told = f"declared {source.licence_declared}, found {source.licence_found}"
        parts.append(claim(f"Licence conflict in source {source.title}: {told}.{note}", source))
    if both and not conflicts:
        parts.append(claim("Declared and found licence agree for every source that has both.", *both))
    return said(*parts)


def conflicts(thread: Thread) -> tuple[Source, ...]:
    """The sources whose declared and found licence differ."""
    return tuple(source for source in thread.sources if source.licence_conflict)


def terms(thread: Thread) -> Answer:
    """On which terms the data and the sources that others supply may be used."""
    parts: list[Claim | Gap] = [
        claim(f"Terms of dataset “{held[0].title}”: {ended(text)}", *held) for text, held in thread.stated("terms")
    ]
    if not parts:
        parts.append(_of_data(thread, "terms of third parties for the texts", "terms"))
    for source in thread.external:
        packages = joined(f"{package.distribution} {package.version}" for package in source.packages)
        if source.terms:
            parts.append(claim(f"Source {source.title} stands on {packages}; terms: {ended(source.terms)}", source))
    parts += describe((source.title for source in thread.external if not source.terms), "terms")
    if not thread.sources:
        return said(*parts) + _SOURCES
    if not thread.external:
        text = f"None of {number(len(thread.sources), 'source')} stands on a package of others."
        parts.append(claim(text, *thread.sources))
    return said(*parts)


def owners(thread: Thread) -> Answer:
    """Who answers for each source."""
    sources = thread.sources
    if not sources:
        return gap("who owns the sources")
    owned = [source for source in sources if source.owner]
    parts = []
    if owned:
        names = joined(sorted({source.owner for source in owned}))
        text = (
            f"{len(owned)} of {number(len(sources), 'source')} {agree(len(owned), 'names', 'name')} an owner: {names}."
        )
        parts.append(claim(text, *owned))
    return said(*parts, *describe((source.title for source in sources if not source.owner), "owner"))


def uses(thread: Thread) -> Answer:
    """What the sources are meant for, and what their owners rule out."""
    if not thread.sources:
        return gap("what the sources are meant for")
    parts: list[Claim | Gap] = []
    for text, holders in _grouped(thread, "intended_use"):
        parts.append(claim(f"Intended use of {joined(s.title for s in holders)}: {ended(text)}", *holders))
    for text, holders in _grouped(thread, "prohibited_use"):
        parts.append(claim(f"Ruled out for {joined(s.title for s in holders)}: {ended(text)}", *holders))
    parts += describe((source.title for source in thread.sources if not source.intended_use), "intended_use")
    return said(*parts)


def collections(thread: Thread) -> Answer:
    """Where each source comes from and how it was made."""
    parts: list[Claim | Gap] = []
    for source in thread.sources:
        if source.origin or source.collection:
            told = " ".join(ended(text) for text in (source.summary, source.origin, source.collection) if text)
            parts.append(claim(f"Source {source.title} {source.version}: {told}", source))
    bare = [source.title for source in thread.sources if not source.origin and not source.collection]
    parts += describe(bare, "origin", "collection")
    return said(*parts) if parts else _SOURCES


def contamination(thread: Thread) -> Answer:
    """Which figures are no independent evidence, because a source had seen the examples."""
    if not thread.sources:
        return gap("what the sources have already seen")
    tainted = [(source, seen) for source in thread.sources for seen in source.contamination]
    if not tainted:
        text = f"No known contamination is declared for any of {number(len(thread.sources), 'source')}."
        return said(claim(text, *thread.sources))
    return said(
        *(
            claim(
                f"The figures of source {source.title} on {seen.domain} are not independent evidence: {ended(seen.reason)}",
                source,
            )
            for source, seen in tainted
        )
    )


def persons(thread: Thread) -> Answer:
    """Which personal data are declared, in the examples and in the sources."""
    parts: list[Claim | Gap] = [
        claim(f"Personal data in dataset “{held[0].title}”: {ended(text)}", *held)
        for text, held in thread.stated("personal_data")
    ]
    if not parts:
        parts.append(_of_data(thread, "whether the examples hold personal data", "personal_data"))
    holding = [source for source in thread.sources if source.personal_data]
    for source in holding:
        note = ended(source.personal_data_note) or "no note."
        parts.append(claim(f"Source {source.title} declares personal data: {note}", source))
    clean = [source for source in thread.sources if not source.personal_data]
    if clean:
        declare = agree(len(clean), "declares that it holds", "declare that they hold")
        text = f"{len(clean)} of {number(len(thread.sources), 'source')} {declare} no personal data."
        parts.append(claim(text, *clean))
    answer = said(*parts)
    return answer if thread.sources else answer + gap("whether the sources hold personal data")


def bases(thread: Thread) -> Answer:
    """On which legal basis sources hold personal data, as their descriptions say; nothing where none holds any."""
    parts: list[Claim | Gap] = []
    for text, holders in _grouped(thread, "legal_basis"):
        parts.append(claim(f"Legal basis of {joined(s.title for s in holders)}, as declared: {ended(text)}", *holders))
    bare = [source.title for source in thread.sources if source.personal_data and not source.legal_basis]
    return said(*parts, *describe(bare, "legal_basis"))


def ends(thread: Thread, *, as_of: str = "") -> Answer:
    """Until when the descriptions of sources hold; judged only where a day is given."""
    if not thread.sources:
        return gap("until when descriptions of sources hold")
    until: dict[str, list[Source]] = {}
    for source in thread.sources:
        until.setdefault(source.expiry, []).append(source)
    parts: list[Claim | Gap] = []
    for end in sorted(day for day in until if day):
        titles = joined(source.title for source in until[end])
        one = len(until[end]) == 1
        described = f"The description of source {titles}" if one else f"The descriptions of sources {titles}"
        over = "ran out on" if as_of and end < as_of else "holds until" if one else "hold until"
        parts.append(claim(f"{described} {over} {end}{f', judged as of {as_of}' if as_of else ''}.", *until[end]))
    return said(*parts, *describe((source.title for source in until.get("", ())), "expiry"))


def pins(thread: Thread) -> Answer:
    """Which versions of whose packages the sources stand on."""
    if not thread.sources:
        return gap("which versions the sources stand on")
    parts = []
    for source in thread.external:
        packages = joined(f"{package.distribution} {package.version}" for package in source.packages)
        parts.append(claim(f"Source {source.title} is pinned to {packages}.", source))
    opaque = [source for source in thread.sources if source.opaque]
    for source in opaque:
        text = f"The fingerprint of source {source.title} cannot see through {joined(source.opaque)}."
        parts.append(claim(text, source))
    if not opaque:
        text = (
            f"The behaviour of {number(len(thread.sources), 'source')} is fingerprinted, and nothing in it is opaque."
        )
        parts.append(claim(text, *thread.sources))
    return said(*parts)


def _of_data(thread: Thread, what: str, field: str) -> Gap:
    return describe_data(what, field) if thread.datasets else Gap(what, REPRO)


def _grouped(thread: Thread, field: str) -> list[tuple[str, list[Source]]]:
    """Sources by the text of a field, in the order of the sources; empty texts are left out."""
    groups: dict[str, list[Source]] = {}
    for source in thread.sources:
        if text := getattr(source, field):
            groups.setdefault(text, []).append(source)
    return list(groups.items())
