"""Labels as XML, shaped like the confidentiality metadata label of STANAG 4774.

A label without overrides is one `originatorConfidentialityLabel`. The standard has no label of a part, so a
label with overrides is a `labels` element of our own: that label, then one of the same shape for each
group that is tighter. Reading is strict: no DTD, and anything missing or unknown is refused, never defaulted.
Source: ADatP-4774 Edition A Version 1 (2017), Confidentiality Metadata Label Syntax: element names, order of
elements, and the attributes `Type` and `TagName` of a category. The policies and tag names are our own.
"""

import datetime as dt
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from beaconfire.errors import UsageError
from beaconfire.messages.label import GroupLabel, Label
from beaconfire.messages.words import Group, Level, Nation, TimeUs
from beaconfire.release.label import flaw_in_label

NAMESPACE: Final = "urn:nato:stanag:4774:confidentialitymetadatalabel:1:0"
OWN_NAMESPACE: Final = "urn:beaconfire:labels:1"
ORIGINATOR_KIND: Final = "uniformResourceIdentifier"
ORIGINATOR_PREFIX: Final = "urn:beaconfire:nation:"
MAXIMUM_LABEL_BYTES: Final = 65_536

RELEASABLE: Final = ("PERMISSIVE", "Releasable To")
RESTRICTED: Final = ("RESTRICTIVE", "Restrictions")
TAGGED: Final = ("INFORMATIVE", "Tags")

_TOKEN: Final = re.compile(r"[!-~]+( [!-~]+)*")
_NATION: Final = re.compile(r"[A-Z]{3}")


def label_to_xml(label: Label, created_at_us: TimeUs) -> str:
    """Return a label as XML; equal labels and times give equal text.

    Args:
        label: of a message, overrides and all.
        created_at_us: when it was made, UTC; written to the second.

    Raises:
        UsageError: no usable label, or a text in it that XML can't hold.
    """
    flaw = flaw_in_label(label, label.originator)
    if flaw:
        raise UsageError(flaw, "label")
    made = dt.datetime.fromtimestamp(created_at_us // 1_000_000, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    whole = _label_text(label, label, label.tags, made)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    if not label.overrides:
        return f"{head}{whole}\n"
    parts = [
        f"<group name={quoteattr(one.group.value)}>\n{_label_text(label, one, (), made)}\n</group>"
        for one in label.overrides
    ]
    inner = "\n".join([whole, *parts])
    return f"{head}<labels xmlns={quoteattr(OWN_NAMESPACE)}>\n{inner}\n</labels>\n"


def _label_text(label: Label, rights: Label | GroupLabel, tags: Collection[str], made: str) -> str:
    categories = [
        _category_text(kind, sorted(values))
        for kind, values in (
            (RELEASABLE, rights.releasable_to),
            (RESTRICTED, rights.restrictions),
            (TAGGED, tags),
        )
        if values
    ]
    originator = f"{ORIGINATOR_PREFIX}{_token(label.originator)}"
    lines = [
        f"<originatorConfidentialityLabel xmlns={quoteattr(NAMESPACE)}>",
        "<ConfidentialityInformation>",
        f"<PolicyIdentifier>{_token(label.policy)}</PolicyIdentifier>",
        f"<Classification>{rights.level.name}</Classification>",
        *categories,
        "</ConfidentialityInformation>",
        f"<OriginatorID IDType={quoteattr(ORIGINATOR_KIND)}>{originator}</OriginatorID>",
        f"<CreationDateTime>{made}</CreationDateTime>",
        "</originatorConfidentialityLabel>",
    ]
    return "\n".join(lines)


def _category_text(kind: tuple[str, str], values: Iterable[str]) -> str:
    held = "".join(f"<GenericValue>{_token(value)}</GenericValue>" for value in values)
    return f"<Category Type={quoteattr(kind[0])} TagName={quoteattr(kind[1])}>{held}</Category>"


def _token(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise UsageError(
            f"a text that a label can't hold: {text!r}", "label", "printable ASCII, single spaces"
        )
    return escape(text)


def label_from_xml(text: bytes, where: str, policies: Collection[str]) -> Label:
    """Return the label in an XML text.

    Args:
        text: as read, UTF-8.
        where: named in the error.
        policies: labelling policies known here; a label of another is refused.

    Raises:
        UsageError: oversize, a DTD, not a label, anything missing, unknown or loosening.
    """
    if len(text) > MAXIMUM_LABEL_BYTES:
        raise UsageError("a label too large", where, f"at most {MAXIMUM_LABEL_BYTES} bytes")
    try:
        root = fromstring(text, forbid_dtd=True)
    except (DefusedXmlException, ParseError, ValueError, LookupError) as error:
        reason = str(error) or type(error).__name__
        raise UsageError(f"not a label: {reason}", where, "XML without a DTD") from error
    reader = _Reader(where, policies)
    has_groups = root.tag == f"{{{OWN_NAMESPACE}}}labels"
    label = reader.labels(list(root)) if has_groups else reader.label(root)
    flaw = flaw_in_label(label, label.originator)
    if flaw:
        raise UsageError(flaw, where)
    return label


class _Reader:
    """Reads the elements of one text, each strictly."""

    def __init__(self, where: str, policies: Collection[str]) -> None:
        self._where = where
        self._policies = policies

    def _refused(self, what: str, expected: str = "") -> UsageError:
        return UsageError(what, self._where, expected)

    def labels(self, children: Sequence[Any]) -> Label:
        """Return a label and its overrides; raises `UsageError`."""
        if not children:
            raise self._refused("no label in it")
        whole = self.label(children[0])
        overrides = tuple(self._override(child, whole) for child in children[1:])
        if len({one.group for one in overrides}) != len(overrides):
            raise self._refused("two labels of one group")
        return Label(
            policy=whole.policy,
            level=whole.level,
            releasable_to=whole.releasable_to,
            restrictions=whole.restrictions,
            tags=whole.tags,
            originator=whole.originator,
            overrides=overrides,
        )

    def _override(self, element: Any, whole: Label) -> GroupLabel:
        name = element.get("name")
        if element.tag != f"{{{OWN_NAMESPACE}}}group" or set(element.attrib) != {"name"} or len(element) != 1:
            raise self._refused(f"an element {_short(element.tag)}", "group, with a name and one label")
        if name not in set(Group):
            raise self._refused(f"a label of {name}, which is no group", ", ".join(Group))
        own = self.label(element[0], may_name_nobody=True)
        if (own.policy, own.originator) != (whole.policy, whole.originator) or own.tags:
            raise self._refused(f"the label of {name} is of another policy or originator, or has tags")
        return GroupLabel(
            group=Group(name),
            level=own.level,
            releasable_to=own.releasable_to,
            restrictions=own.restrictions,
        )

    def label(self, root: Any, *, may_name_nobody: bool = False) -> Label:
        """Return what one confidentiality label says; raises `UsageError`."""
        if root.tag != f"{{{NAMESPACE}}}originatorConfidentialityLabel" or root.attrib:
            raise self._refused(f"an element {_short(root.tag)}", "originatorConfidentialityLabel")
        held = self._children(root, ("ConfidentialityInformation", "OriginatorID", "CreationDateTime"))
        information = list(held["ConfidentialityInformation"])
        if [_short(one.tag) for one in information[:2]] != ["PolicyIdentifier", "Classification"]:
            raise self._refused("unlabelled: no policy or no classification")
        policy = self._text(information[0])
        if policy not in self._policies:
            raise self._refused(f"an unknown policy {policy}", ", ".join(sorted(self._policies)))
        level = self._text(information[1])
        if level not in Level.__members__:
            raise self._refused(f"an unknown classification {level}", ", ".join(Level.__members__))
        self._check_time(held["CreationDateTime"])
        categories = self._categories(information[2:])
        if not categories[RELEASABLE] and not may_name_nobody:
            raise self._refused("unlabelled: releasable to nobody that it names")
        return Label(
            policy=policy,
            level=Level[level],
            releasable_to=frozenset(self._nation(one) for one in categories[RELEASABLE]),
            restrictions=frozenset(categories[RESTRICTED]),
            tags=frozenset(categories[TAGGED]),
            originator=self._originator(held["OriginatorID"]),
        )

    def _children(self, element: Any, names: tuple[str, ...]) -> dict[str, Any]:
        found = {_short(child.tag): child for child in element}
        wanted = [f"{{{NAMESPACE}}}{name}" for name in names]
        if [child.tag for child in element] != wanted:
            missing = [name for name in names if name not in found]
            what = f"unlabelled: no {missing[0]}" if missing else f"elements {', '.join(found)}"
            raise self._refused(what, ", ".join(names))
        return found

    def _text(self, element: Any) -> str:
        text = (element.text or "").strip()
        if len(element) or not text or not element.tag.startswith(f"{{{NAMESPACE}}}"):
            raise self._refused(f"an element {_short(element.tag)} without a text of its own")
        return str(text)

    def _categories(self, elements: Sequence[Any]) -> dict[tuple[str, str], list[str]]:
        held: dict[tuple[str, str], list[str]] = {RELEASABLE: [], RESTRICTED: [], TAGGED: []}
        for element in elements:
            kind = (element.get("Type", ""), element.get("TagName", ""))
            known = element.tag == f"{{{NAMESPACE}}}Category" and kind in held
            if not known or held[kind] or set(element.attrib) != {"Type", "TagName"}:
                what = f"an unknown category {kind[1] or _short(element.tag)} ({kind[0] or 'no type'})"
                raise self._refused(what, ", ".join(name for _, name in held))
            values = [one for one in element if one.tag == f"{{{NAMESPACE}}}GenericValue"]
            if not values or len(values) != len(element):
                raise self._refused(f"a category {kind[1]} without values, or with something else in it")
            held[kind] = [self._text(one) for one in values]
        return held

    def _nation(self, text: str) -> Nation:
        if not _NATION.fullmatch(text):
            raise self._refused(f"{text} is no nation", "three capital letters")
        return Nation(text)

    def _originator(self, element: Any) -> Nation:
        text = self._text(element)
        if element.get("IDType") != ORIGINATOR_KIND or not text.startswith(ORIGINATOR_PREFIX):
            raise self._refused(f"an unknown originator {text}", f"{ORIGINATOR_PREFIX}NATION")
        return self._nation(text.removeprefix(ORIGINATOR_PREFIX))

    def _check_time(self, element: Any) -> None:
        text = self._text(element)
        try:
            dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
        except ValueError as error:
            raise self._refused(f"not a time: {text}", "such as 2026-12-01T12:00:00Z") from error


def _short(tag: str) -> str:
    return tag.rpartition("}")[2]
