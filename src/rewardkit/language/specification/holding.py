"""When a condition holds on a scope, and where it ends: the meaning of every operator, written slowly and plainly."""

from __future__ import annotations

from collections.abc import Iterator

from rewardkit.errors import ValidationError
from rewardkit.language import civil, tree
from rewardkit.language.event import Event, Instant
from rewardkit.language.listening import names_of, opened_by_any
from rewardkit.language.specification.aggregate import compared, comparison_holds, matching, typed
from rewardkit.language.specification.scope import Place, Scope, place, timer
from rewardkit.language.values.filter import kind_of, look_up


def holds(node: tree.Node, scope: Scope, now: Instant) -> bool:
    """Whether the condition holds on a scope, read at an instant."""
    match node:
        case tree.AtLeast(matches=found, least=least):
            return len(matching(found, scope.inside())) >= least
        case tree.Between(matches=found, least=least, most=most):
            return least <= len(matching(found, scope.inside())) <= most
        case tree.Comparison():
            return comparison_holds(node, scope.inside(), scope.zone)
        case tree.And(terms=terms):
            return all(holds(term, scope, now) for term in terms)
        case tree.Or(terms=terms):
            return any(holds(term, scope, now) for term in terms)
        case tree.Some(least=least, terms=terms):
            return sum(holds(term, scope, now) for term in terms) >= least
        case tree.Not(body=body):
            return not holds(body, scope, now)
        case tree.Over(body=body, span=span):
            close = scope.close(span)
            return now >= close and not beyond(close, scope) and holds(body, scope.window(close), close)
        case tree.No():
            return holds(absence(node), scope, now)
        case tree.Then():
            first, last = split(node)
            begun = hand_overs(ends(first, scope, now), last)
            return any(holds(last, scope.following(*end), now) for end in begun)
        case tree.Streak():
            return _has_streak(node, scope, now)
        case tree.Satisfied():
            return derived(node, scope) is not None
        case tree.Named():
            raise unknown(node)
        case _:
            return any(holds(node.body, inner, now) for inner in inner_scopes(node, scope, now))


def ends(node: tree.Node, scope: Scope, now: Instant) -> list[tuple[Place, Instant]]:
    """The places that complete the condition, each with its instant."""
    match node:
        case tree.AtLeast(matches=found, least=least):
            return [(place(event), event.at) for event in matching(found, scope.inside())[least - 1 :]]
        case tree.Between(matches=found) | tree.Streak(body=tree.AtLeast(matches=found)):
            return _ends_among(node, found, scope)
        case tree.Streak(body=body):
            return _ends_among(node, tuple(match for term in _alternatives(body) for match in term.matches), scope)
        case tree.Comparison():
            return _ends_among(node, compared(node), scope)
        case tree.Or(terms=terms):
            return sorted({end for term in terms for end in ends(term, scope, now)})
        case tree.And(terms=terms) | tree.Some(terms=terms):
            candidates = {end for term in terms for end in ends(term, scope, now)}
            return sorted(end for end in candidates if holds(node, scope.cut(end[0]), end[1]))
        case tree.Not():
            return []
        case tree.Over(span=span):
            close = scope.close(span)
            return [(timer(close), close)] if holds(node, scope, now) else []
        case tree.No():
            return ends(absence(node), scope, now)
        case tree.Then():
            first, last = split(node)
            begun = hand_overs(ends(first, scope, now), last)
            return sorted({end for handed in begun for end in ends(last, scope.following(*handed), now)})
        case tree.Satisfied():
            where = derived(node, scope)
            return [] if where is None else [(where, where[0])]
        case tree.Named():
            raise unknown(node)
        case _:
            return sorted({end for inner in inner_scopes(node, scope, now) for end in ends(node.body, inner, now)})


Scoped = (
    tree.Within | tree.InAny | tree.InLast | tree.InOne | tree.Before | tree.Since | tree.By | tree.Ever
)  # whose body is judged in scopes of their own


def inner_scopes(node: Scoped, scope: Scope, now: Instant) -> Iterator[Scope]:
    """The scopes in which the body is judged; in one of them it has to hold."""
    match node:
        case tree.Within(span=span):
            yield scope.window(scope.close(span))
        case tree.Before(instant=text):
            yield scope.before(scope.instant(text))
        case tree.Since(instant=text):
            yield scope.since(scope.instant(text))
        case tree.Ever():
            yield scope.widened()
        case tree.InLast(span=span):
            yield scope.recent(span, now)
        case tree.InAny(span=span):
            for event in heard(node, scope):
                yield scope.opened(event, span)
        case tree.InOne(unit=unit):
            for start, end in sorted({civil.bucket(event.at, unit, scope.zone) for event in heard(node, scope)}):
                yield scope.bucket(start, end)
        case tree.By(field=field):
            sharing: dict[tuple[str, object] | None, list[Event]] = {}
            for event in scope.events:
                sharing.setdefault(_key(event, field), []).append(event)
            for key in dict.fromkeys(_key(event, field) for event in heard(node, scope)):
                if key is not None:
                    yield scope.keeping(tuple(sharing[key]))


def heard(node: tree.InAny | tree.InOne | tree.By, scope: Scope) -> list[Event]:
    """The events of a scope that may open a window, a bucket or a key: those that the body listens to, or all."""
    names = None if opened_by_any(node) else names_of(node.body)
    return [event for event in scope.inside() if names is None or event.name in names]


def _key(event: Event, field: tree.Field) -> tuple[str, object] | None:
    value = look_up(field, event.properties)
    return None if kind_of(value) == "none" else typed(value)


def _ends_among(node: tree.Node, found: tuple[tree.Match, ...], scope: Scope) -> list[tuple[Place, Instant]]:
    """The matching events after which a count, a comparison or a streak holds."""
    events = matching(found, scope.inside())
    return [(place(event), event.at) for event in events if holds(node, scope.cut(place(event)), event.at)]


def _alternatives(body: tree.Node) -> list[tree.AtLeast]:
    match body:
        case tree.AtLeast():
            return [body]
        case tree.Or(terms=terms):
            return [alternative for term in terms for alternative in _alternatives(term)]
    raise ValidationError("a streak counts events")


def _has_streak(node: tree.Streak, scope: Scope, now: Instant) -> bool:
    """Whether so many buckets follow each other, the first and the last one good and few enough others not."""
    if not isinstance(node.span, tree.Calendar):
        raise ValidationError("a streak runs over calendar days, weeks, months, quarters or years")
    unit, zone = node.span.unit, scope.zone
    dates = {civil.bucket_date(civil.local_date(event.at, zone), unit) for event in scope.inside()}
    good = {first for first in dates if holds(node.body, scope.bucket(*civil.bucket_of(first, unit, zone)), now)}
    for first in good:
        run = [first]
        while len(run) < node.span.count:
            run.append(civil.next_bucket(run[-1], unit, zone))
        if run[-1] in good and sum(day not in good for day in run) <= node.skip:
            return True
    return False


def derived(node: tree.Satisfied, scope: Scope) -> Place | None:
    """The place at which a named condition became satisfied, where that lies in the scope."""
    from rewardkit.language.specification.judging import first_decision

    if node.body is None:
        raise ValidationError(f"the condition `{node.name}` is not known here: pass it in `definitions`")
    decision = first_decision(node.body, scope.whole())
    if decision is None or decision.status != "satisfied":
        return None
    inside = scope.after < decision.place <= scope.until and (scope.end is None or decision.place[0] < scope.end)
    return decision.place if inside else None


def beyond(close: Instant, scope: Scope) -> bool:
    """Whether a window closes after the end of its scope, so that it is never judged."""
    return scope.end is not None and close > scope.end


def absence(node: tree.No) -> tree.Over:
    """`no σ within D` is `!σ over D`."""
    return tree.Over(tree.Not(node.body), node.span)


def hand_overs(found: list[tuple[Place, Instant]], last: tree.Node) -> list[tuple[Place, Instant]]:
    """The ends of a step that matter to the next one: a count sees from the first all that it sees from others."""
    return found[:1] if isinstance(last, tree.AtLeast) else found


def split(node: tree.Then) -> tuple[tree.Node, tree.Node]:
    """`a then b then c` is `(a then b) then c`."""
    if len(node.steps) < 2:
        raise ValidationError("a `then` needs at least two steps")
    *first, last = node.steps
    return (first[0] if len(first) == 1 else tree.Then(tuple(first))), last


def unknown(node: tree.Named) -> ValidationError:
    return ValidationError(f"the condition `@{node.name}` is not known here: pass it in `definitions`")
