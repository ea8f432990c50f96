"""On whose terms does the system stand, and who answers for its parts?"""

from __future__ import annotations

from governance.audit.query import Context, query
from governance.claims import Answer, Gap, claim, data, said, sources
from governance.claims.words import agree, joined, number
from governance.facts import Facts


@query
def licence_and_legal_basis_coverage(_: Facts, context: Context) -> Answer:
    """Licences declared and found, conflicts, personal data, legal bases as declared; that of the data is a person's to
    state."""
    thread = context.thread
    answer = data.licence(thread) + sources.licences(thread) + sources.persons(thread) + sources.bases(thread)
    return answer + context.unheld("legal basis of each dataset")


@query
def third_party_terms(_: Facts, context: Context) -> Answer:
    """Terms of texts and packages that others supply, and their conflicts."""
    thread = context.thread
    answer = sources.terms(thread)
    clashing = sources.conflicts(thread)
    if clashing:
        titles = joined(source.title for source in clashing)
        answer += said(
            claim(f"Declared and found licence differ in {number(len(clashing), 'source')}: {titles}.", *clashing)
        )
    models = [source for source in thread.sources if source.source_kind == "llm"]
    if thread.sources:
        every = number(len(thread.sources), "source")
        some = f"{len(models)} of {every} {agree(len(models), 'asks', 'ask')}" if models else f"None of {every} asks"
        answer += said(claim(f"{some} a hosted language model.", *(models or thread.sources)))
    return answer


@query
def owner_coverage(_: Facts, context: Context) -> Answer:
    """Who owns the sources; approvers are recorded nowhere yet."""
    return sources.owners(context.thread) + context.unheld("who approves data, labels and model")


@query
def component_risk_map(_: Facts, context: Context) -> Answer:
    """Every part with version and licence, as far as they are recorded."""
    thread = context.thread
    answer = sources.pins(thread) + sources.licences(thread) + data.licence(thread)
    recipes = [recipe for recipe, _ in thread.runs if recipe is not None]
    if recipes:
        known = {(item.distribution, item.version) for recipe in recipes for item in recipe.distributions}
        text = f"Imported by the runs: {number(len(known), 'distribution')}, each recorded with its version."
        answer += said(claim(text, *recipes))
    return answer + context.unheld("licences of the distributions that the runs imported")


@query
def review_freshness(_: Facts, context: Context) -> Answer:
    """Until when the descriptions of sources hold; reviews themselves are recorded nowhere yet."""
    held = sources.ends(context.thread, as_of=context.as_of)
    return held + context.unheld("reviews of each asset, with due dates")


@query
def declared_context(_: Facts, context: Context) -> Answer:
    """Uses, origin and terms as their owners declare them."""
    thread = context.thread
    return sources.uses(thread) + data.origin(thread) + sources.terms(thread)


@query
def declared_scope(_: Facts, context: Context) -> Answer:
    """What the model was trained and evaluated on, and what owners rule out."""
    thread = context.thread
    answer = sources.uses(thread)
    trained, other = thread.domains
    if thread.model is not None and trained:
        text = f"The model was trained on {joined(trained)}"
        text += f" and never saw {joined(other)}." if other else "."
        answer += said(claim(text, thread.model, thread.dataset))
    else:
        answer += said(Gap("which domains the model was trained on", "labeltrail repro"))
    return answer


@query
def privacy_scan(_: Facts, context: Context) -> Answer:
    """Personal data as declared; nothing scans the texts yet."""
    return sources.persons(context.thread) + context.unheld(
        "a scan of the texts for personal data, retention and erasure requests"
    )
