"""Claims and their verdicts as a person reads them, on stderr."""

from collections import Counter

from ganvas.cli.rendering.forms import form, line_width
from ganvas.core.progress import say
from ganvas.tasks.claiming.claim import ClaimResult
from ganvas.tasks.claiming.claims import ClaimsResult

STATE = 13  # Letters of the first column.


@form.register
def _(result: ClaimResult) -> None:
    say(result.statement)
    say(f"{result.claim} {result.sentence}")
    say(f"Scope: {result.scope}.")
    for source in result.sources:
        say(f"{source['stance']}: {source['who']}{', ' if source['link'] else ''}{source['link']}")
    if result.locked is None:
        say("A draft: the design is not locked, so these are seeds of development. --lock locks it.")
    elif not result.as_designed:
        looks = ", ".join(map(str, result.looks))
        say(f"Looks at this locked design, by their seeds: {looks}. They share one chance of error.")
    if result.written:
        say(f"{result.written}: verdict.json, figure.svg and claim.html written.")


@form.register
def _(result: ClaimsResult) -> None:
    width = line_width()
    for line in result.claims if result.printed is None else ():
        told = line["told"].removeprefix(f"{line['state']}: ")
        text = f"{line['name']}: {told}" if line["name"] else f"{line['statement']} {told}"
        whole = f"{line['state']:<{STATE}}{text}"
        say(whole if len(whole) <= width else f"{whole[: width - 3]}...")
    counts = Counter(line["state"] for line in result.claims)
    say((", ".join(f"{count} {state}" for state, count in counts.items()) or "There is no such claim") + ".")
    if result.checked:
        say("\n".join(result.flipped) if result.flipped else "Judged again: every verdict is as before.")
    if result.written:
        say(f"{result.written / 'index.html'}: the board, with a page per claim beside it.")
