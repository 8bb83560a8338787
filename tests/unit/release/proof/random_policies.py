"""Random policies of the fragment, well typed and not, and random requests: what Cedar is asked too."""

import random
from typing import Any

GROUPS = ("launch_point", "impact", "sensor")
NAMES = ("JPN", "KOR", "XAA")
MARKS = ("ORCON", "EYES")
LONG = (0, 1, 2, 3, -1, 60, 9_223_372_036_854_775_807)
PRINCIPALS = (
    "principal",
    "principal",
    "principal == {party}",
    "principal in {party}",
    "principal is Party",
    "principal is Party in {party}",
    "principal is Nation",
)
ACTIONS = (
    "action",
    'action == Action::"release"',
    'action in [Action::"release", Action::"x"]',
    'action == Action::"recall"',
)
RESOURCES = ("resource", "resource is Report", 'resource == Report::"report"')
ODD = (
    "context.nosuch",
    "context.level",
    "principal.cleared",
    "principal has cleared",
    "(context.level && true)",
    "(true || context.level)",
    "(false && context.level)",
    '(context.level < "x")',
    "context.group.contains(1)",
    "(context.group in principal)",
    "context.restrictions.containsAll(principal)",
    "(principal is Party)",
    "(-context.group == 1)",
    "(1 in principal)",
    "(principal in [principal, 1])",
    "!context.level",
    "[context.nosuch].isEmpty()",
    "context.restrictions.contains(context.nosuch)",
    "(context.nosuch == 1)",
)


class Grower:
    """Grows policies and requests from one seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def policies(self) -> str:
        return "\n".join(self._policy(number) for number in range(self.chance.randint(1, 3)))

    def _policy(self, number: int) -> str:
        effect = self.chance.choice(["permit", "permit", "forbid"])
        conditions = " ".join(
            f"{self.chance.choice(['when', 'unless'])} {{ {self.boolean(3)} }}"
            for _ in range(self.chance.randint(0, 2))
        )
        return f'@id("{effect}{number}") {effect} ({self._scope()}) {conditions};'

    def _scope(self) -> str:
        principal = self.chance.choice(PRINCIPALS).format(party=self.party())
        action, resource = self.chance.choice(ACTIONS), self.chance.choice(RESOURCES)
        return f"{principal}, {action}, {resource}"

    def party(self) -> str:
        return f'Party::"{self.chance.choice(NAMES)}"'

    def boolean(self, depth: int) -> str:
        if depth == 0:
            return self.chance.choice(["true", "false", "context has level", "context has nosuch"])
        often = [self._joined, self._compared, self._member]
        make = self.chance.choice([*often, *often, self._negated, self._choice, self._odd])
        return make(depth - 1)

    def _joined(self, depth: int) -> str:
        operator = self.chance.choice(["&&", "||"])
        return f"({self.boolean(depth)} {operator} {self.boolean(depth)})"

    def _negated(self, depth: int) -> str:
        return f"!({self.boolean(depth)})"

    def _choice(self, depth: int) -> str:
        return f"(if {self.boolean(depth)} then {self.boolean(depth)} else {self.boolean(depth)})"

    def _compared(self, depth: int) -> str:
        del depth
        if self.chance.random() < 0.6:
            operator = self.chance.choice(["<", "<=", ">", ">=", "==", "!="])
            if self.chance.random() < 0.6:
                return f"(context.level {operator} {self.chance.randint(0, 3)})"
            return f"({self.integer(2)} {operator} {self.integer(1)})"
        operator = self.chance.choice(["==", "!="])
        return f"({self.scalar()} {operator} {self.scalar()})"

    def _member(self, depth: int) -> str:
        del depth
        method = self.chance.choice(["contains", "containsAll", "containsAny", "isEmpty", "in", "=="])
        if method == "isEmpty":
            return f"{self.set()}.isEmpty()"
        if method == "in":
            right = self.chance.choice([self.party(), "context.releasable_to", f"[{self.party()}]"])
            return f"(principal in {right})"
        if method == "==":
            return f"({self.set()} == {self.set()})"
        return f"{self.set()}.{method}({self.scalar() if method == 'contains' else self.set()})"

    def _odd(self, depth: int) -> str:
        """Return what is often of the wrong type: most of it fails where it is evaluated."""
        del depth
        return self.chance.choice(ODD)

    def integer(self, depth: int) -> str:
        if depth == 0 or self.chance.random() < 0.4:
            return self.chance.choice(["context.level", "context.age_s", str(self.chance.choice(LONG))])
        operator = self.chance.choice(["+", "-", "*", "neg"])
        if operator == "neg":
            return f"(-{self.integer(depth - 1)})"
        if operator == "*":
            return f"({self.chance.choice(LONG)} * {self.integer(depth - 1)})"
        return f"({self.integer(depth - 1)} {operator} {self.integer(depth - 1)})"

    def scalar(self) -> str:
        texts = [f'"{text}"' for text in (*GROUPS, *NAMES, *MARKS, "FLASH", "ROUTINE")]
        variables = ["principal", "context.group", "context.originator", "context.mode", "context.level"]
        variables.append("context.lane")
        return self.chance.choice([*variables, *variables, self.party(), "1", self.chance.choice(texts)])

    def set(self) -> str:
        if self.chance.random() < 0.6:
            return self.chance.choice(["context.releasable_to", "context.restrictions"])
        members = [self.scalar() for _ in range(self.chance.randint(0, 3))]
        return f"[{', '.join(members)}]"

    def request(self) -> dict[str, Any]:
        """Return a request as `release.cedar` makes it."""
        some = self.chance.random
        return {
            "principal": self.chance.choice(NAMES),
            "originator": self.chance.choice(NAMES),
            "group": self.chance.choice(GROUPS),
            "mode": self.chance.choice(["SIMULATED", "REAL"]),
            "level": self.chance.randint(0, 3),
            "releasable_to": [name for name in NAMES if some() < 0.5],
            "restrictions": [mark for mark in MARKS if some() < 0.4],
            "age_s": self.chance.choice([1, 60, 2_592_001]),
            "lane": self.chance.choice(["FLASH", "ROUTINE"]),
        }
