"""Arrangement bundles on disk: the shipped templates, installed and loaded."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import msgspec

from beaconfire.errors import EnvironmentFault, UsageError
from beaconfire.messages.arrangement import ArrangementTemplate
from beaconfire.release.arrangements import (
    MAXIMUM_ARRANGEMENTS,
    MAXIMUM_BUNDLE_BYTES,
    Agreement,
    make_bundle,
    read_bundle,
    verify_bundle,
)
from beaconfire.release.keys import Keyring, SigningKey

SUFFIX: Final = ".bundle.json"


def shipped_templates() -> dict[str, ArrangementTemplate]:
    """Return the arrangements that ship with the program, by id."""
    return _templates_in("arrangements")


def example_templates() -> dict[str, ArrangementTemplate]:
    """Return the arrangements that ship as examples only: nothing installs them."""
    return _templates_in("examples")


def _templates_in(name: str) -> dict[str, ArrangementTemplate]:
    folder = resources.files("beaconfire") / "shipped" / name
    found = [read_template(one) for one in folder.iterdir() if one.name.endswith(".toml")]
    return {one.arrangement: one for one in sorted(found, key=lambda one: one.arrangement)}


def read_template(place: Traversable) -> ArrangementTemplate:
    """Return a template: a TOML file and, beside it, a Cedar file of the same name.

    Raises:
        UsageError: unreadable, or not a template.
    """
    try:
        text = place.read_text(encoding="utf-8")
        template = msgspec.convert(tomllib.loads(text), ArrangementTemplate)
        with resources.as_file(place) as path:
            policies = path.with_suffix(".cedar").read_text(encoding="utf-8")
    except (OSError, ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise UsageError(f"not an arrangement template: {error}", place.name) from error
    return msgspec.structs.replace(template, policies=policies)


def write_template(template: ArrangementTemplate, directory: Path) -> Path:
    """Write a template as a TOML file with a Cedar file beside it, and return the former.

    Raises:
        EnvironmentFault: it can't be written.
    """
    path = directory / f"{template.arrangement}.toml"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        path.write_text(template_text(template), encoding="utf-8")
        path.with_suffix(".cedar").write_text(template.policies, encoding="utf-8")
    except OSError as error:
        raise EnvironmentFault(f"cannot write {directory}: {error.strerror}", "choose another") from error
    return path


def template_text(template: ArrangementTemplate) -> str:
    """Return a template without its policies as TOML."""
    fields = msgspec.to_builtins(template)
    flows = fields.pop("flows")
    del fields["policies"]
    lines = [f"{name} = {_toml(value)}" for name, value in fields.items()]
    for flow in flows:
        lines += ["", "[[flows]]", *(f"{name} = {_toml(value)}" for name, value in flow.items())]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    """Return a text, number, boolean or list of texts as TOML, which writes them as JSON does."""
    return msgspec.json.encode(value).decode()


def install_arrangements(
    keys_by_party: Mapping[str, SigningKey],
    directory: Path,
    *,
    valid_from_us: int,
    valid_until_us: int,
    names: Iterable[str] | None = None,
) -> list[Path]:
    """Write the shipped arrangements, signed with these keys, and return the files.

    Args:
        keys_by_party: every party of the arrangements, and the hub.
        directory: made if it is not there.
        valid_from_us: start of validity, UTC.
        valid_until_us: end of validity, UTC.
        names: ids of the arrangements to write; None for all.

    Raises:
        UsageError: an unknown name or a party without a key.
        EnvironmentFault: the directory can't be written.
    """
    templates = shipped_templates()
    chosen = list(templates) if names is None else list(names)
    unknown = [name for name in chosen if name not in templates]
    if unknown:
        raise UsageError(f"no shipped arrangement {unknown[0]}", expected=", ".join(templates))
    written = []
    for name in chosen:
        template = templates[name]
        keys = _keys_for(template, keys_by_party)
        bundle = make_bundle(template, keys, valid_from_us=valid_from_us, valid_until_us=valid_until_us)
        written.append(_write(directory / f"{name}{SUFFIX}", msgspec.json.encode(bundle)))
    return written


def _keys_for(template: ArrangementTemplate, keys_by_party: Mapping[str, SigningKey]) -> Sequence[SigningKey]:
    missing = [party for party in (*template.parties, "HUB") if party not in keys_by_party]
    if missing:
        raise UsageError(f"no key of {missing[0]}", template.arrangement)
    return [keys_by_party[party] for party in (*template.parties, "HUB")]


def _write(path: Path, text: bytes) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    except OSError as error:
        raise EnvironmentFault(f"cannot write {path}: {error.strerror}", "choose another place") from error
    return path


def make_agreements(
    keys_by_party: Mapping[str, SigningKey],
    names: Iterable[str],
    *,
    valid_from_us: int,
    valid_until_us: int,
) -> tuple[Agreement, ...]:
    """Return shipped arrangements signed and verified in memory: what a simulator needs."""
    templates = shipped_templates()
    made = []
    for name in names:
        keys = _keys_for(templates[name], keys_by_party)
        signed = make_bundle(
            templates[name], keys, valid_from_us=valid_from_us, valid_until_us=valid_until_us
        )
        made.append(verify_bundle(signed, name, now_us=valid_from_us, trusted=None))
    return tuple(made)


def load_arrangements(
    directory: Path, *, now_us: int | None, trusted: Keyring | None
) -> tuple[Agreement, ...]:
    """Return the agreements in a directory, each whole, signed, trusted and valid now.

    Args:
        directory: of the bundles.
        now_us: UTC; None does not look at the validity (see `verify_bundle`).
        trusted: keys known beforehand; None accepts those stated.

    Raises:
        UsageError: no directory, no bundle in it, or one that is unsigned, altered, expired, or signed
            with keys that are not trusted; the file is named.
    """
    files = bundle_files(directory)
    return tuple(load_arrangement(file, now_us=now_us, trusted=trusted) for file in files)


def load_sound_arrangements(
    directory: Path, *, trusted: Keyring
) -> tuple[tuple[Agreement, ...], tuple[str, ...]]:
    """Return the sound agreements in a directory, whenever valid, and what is wrong with the others.

    For what must go on without them: a nation's own picture.

    Args:
        directory: of the bundles; one that isn't there, or holds none, is such a flaw itself.
        trusted: keys known beforehand.
    """
    held: list[Agreement] = []
    flaws: list[str] = []
    try:
        files = bundle_files(directory)
    except UsageError as error:
        return (), (str(error),)
    for file in files:
        try:
            held.append(load_arrangement(file, now_us=None, trusted=trusted))
        except UsageError as error:
            flaws.append(str(error))
    return tuple(held), tuple(flaws)


def bundle_files(directory: Path) -> list[Path]:
    """Return the files of a directory that hold bundles, sorted; raises as `load_arrangements` does."""
    if not directory.is_dir():
        raise UsageError("no such directory of arrangements", str(directory))
    files = sorted(directory.glob(f"*{SUFFIX}"))
    if not files or len(files) > MAXIMUM_ARRANGEMENTS:
        wanted = f"1 to {MAXIMUM_ARRANGEMENTS} files *{SUFFIX}"
        raise UsageError(f"{len(files)} arrangements", str(directory), wanted)
    return files


def load_arrangement(file: Path, *, now_us: int | None, trusted: Keyring | None) -> Agreement:
    """Return the agreement in one file; raises `UsageError` as `load_arrangements` does."""
    return verify_bundle(
        read_bundle(read_bounded(file), str(file)), str(file), now_us=now_us, trusted=trusted
    )


def read_bounded(file: Path) -> bytes:
    """Return the bytes of a bundle file, one byte more than allowed at most.

    Raises:
        UsageError: it can't be read.
    """
    try:
        with file.open("rb") as stream:
            return stream.read(MAXIMUM_BUNDLE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read it: {error.strerror}", str(file)) from error
