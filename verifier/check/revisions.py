"""What may follow the sealed revision: our validation data (DSS) and archive timestamps, object by object.

An update may write only
  * the catalog, equal to the sealed one but for its /DSS entry;
  * an archive field that the sealed revision laid out empty, equal but for its /V entry;
  * new objects, each of which is part of the DSS or is the timestamp itself;
  * for a renewal after the laid-out field is used: one more field without size or appearance, with its entry at the
    end of the form's /Fields. The page does not list it, and is never written again.
Everything else, a byte between objects included, is a change of the document. ISO 32000-2, 12.8.4.3 and 12.8.5.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from cryptography import x509

from keys.public.keyset import KeySet
from verifier.check.cms import CmsError, ForeignSignerError, SignatureWrongError
from verifier.check.envelope import EnvelopeError, find_signature
from verifier.check.sealed_form import SealedForm
from verifier.check.sections import SealedRevision, Update, read_update
from verifier.check.syntax import Budget, Name, PdfSyntaxError, Reference, Stream, Text, Value
from verifier.check.timestamps import Stamp, TimeUnprovenError, read_stamp

MAX_UPDATES: Final = 16
_MAX_NEW_OBJECTS: Final = 200
_MAX_DER: Final = 512 * 1024
_MAX_BYTES: Final = 4 * 1024 * 1024
_VRI_KEY = re.compile(r"[0-9A-F]{40}")
_RENEWAL_KEYS: Final = {"FT", "T", "TU", "Type", "Subtype", "F", "Rect", "V"}


class RevisionsError(Exception):
    """Something that is not ours follows the seal; the text is a short stable reason."""


@dataclass
class _State:
    """The document as the updates read so far leave it."""

    sealed: SealedRevision
    field_list: int
    empty_fields: set[int]
    table_at: int
    size: int
    current: dict[int, Value] = field(default_factory=dict)
    validation_data: set[int] = field(default_factory=set)

    def now(self, number: int) -> Value:
        return self.current[number] if number in self.current else self.sealed.object(number)


@dataclass(frozen=True, slots=True)
class Archive:
    """What the updates hold: archive timestamps, oldest first, and whether the last update bears one."""

    stamps: tuple[Stamp, ...]
    closed: bool
    has_validation_data: bool
    fields_left_empty: bool


def read_archive(pdf: bytes, end: int, sealed: SealedRevision, form: SealedForm, key_set: KeySet) -> Archive:
    """Read all that follows byte `end`, where the sealed revision stops; raises RevisionsError."""
    size = sealed.trailer.get("Size")
    if type(size) is not int:
        raise RevisionsError("trailer")
    if len(pdf) - end > _MAX_BYTES:
        raise RevisionsError("bytes-added")
    state = _State(sealed, form.field_list, set(form.empty_fields), sealed.table_at, size)
    stamps: list[Stamp] = []
    closed, count, budget = True, 0, Budget()
    try:
        while end < len(pdf):
            count += 1
            if count > MAX_UPDATES:
                raise RevisionsError("too-many-updates")
            update = read_update(pdf, end, budget)
            signature = _accept(update, state)
            closed = signature is not None
            if signature is not None:
                stamps.append(_read_archive_stamp(pdf, update, signature, key_set))
            end = update.end
    except PdfSyntaxError as error:
        raise RevisionsError("bytes-added") from error
    return Archive(tuple(stamps), closed, bool(state.validation_data), bool(state.empty_fields))


def _accept(update: Update, state: _State) -> dict[str, Value] | None:
    """Hold one update to the list above and apply it; the timestamp dictionary it brings, if any."""
    _check_trailer(update, state)
    root = state.sealed.root
    rest = dict(update.objects)
    if root in rest:
        _only_changed(state.now(root), rest.pop(root), {"DSS"}, "catalog-changed")
    filled = [number for number in rest if number in state.empty_fields]
    fresh: dict[str, Value] | None = None
    if filled:
        if len(filled) > 1:
            raise RevisionsError("several-fields-filled")
        number = filled[0]
        fresh = _only_changed(state.now(number), rest.pop(number), {"V"}, "field-changed")
    elif state.field_list in rest:
        number, fresh = _renewal_field(rest, state)
        filled = [number]
    signature = None
    if fresh is not None:
        target = fresh.get("V")
        if not isinstance(target, Reference):
            raise RevisionsError("field-not-filled")
        signature = rest.pop(target.number, None)
        if not isinstance(signature, dict) or target.number < state.size:
            raise RevisionsError("timestamp-missing")
    view = state.current | update.objects
    validation_data = _validation_data(view, state, _dictionary(view.get(root, state.sealed.catalog)))
    if not state.validation_data <= validation_data:
        raise RevisionsError("validation-data")
    for number in rest:
        old = state.sealed.has(number) or (number < state.size and number not in state.validation_data)
        # The lists of the store grow; what they list stays as it is.
        if old or number not in validation_data or isinstance(state.current.get(number), Stream):
            raise RevisionsError("objects-changed")
    state.current, state.validation_data = view, validation_data
    state.empty_fields.difference_update(filled)
    state.table_at = update.table_at
    size = update.trailer["Size"]
    state.size = size if isinstance(size, int) else state.size
    return signature if isinstance(signature, dict) else None


def _check_trailer(update: Update, state: _State) -> None:
    trailer, sealed = update.trailer, state.sealed.trailer
    same = all(repr(trailer.get(key)) == repr(sealed.get(key)) for key in ("Root", "Info"))
    size = trailer.get("Size")
    if not same or set(trailer) != {"Size", "Root", "Info", "ID", "Prev"} & ({*sealed, "Prev"}):
        raise RevisionsError("trailer-changed")
    if type(trailer["Prev"]) is not int or trailer["Prev"] != state.table_at:
        raise RevisionsError("trailer-changed")
    if type(size) is not int or not state.size <= size <= state.size + _MAX_NEW_OBJECTS:
        raise RevisionsError("trailer-changed")
    if not update.objects or max(update.objects) >= size:
        raise RevisionsError("trailer-changed")


def _only_changed(old: Value, new: Value, keys: set[str], reason: str) -> dict[str, Value]:
    """`new`, if it is `old` with no difference outside `keys`; compared as written, so 1 is not true."""
    before, after = _dictionary(old), _dictionary(new)
    if [repr(item) for item in before.items() if item[0] not in keys] != [
        repr(item) for item in after.items() if item[0] not in keys
    ]:
        raise RevisionsError(reason)
    return after


def _renewal_field(rest: dict[int, Value], state: _State) -> tuple[int, dict[str, Value]]:
    """The field of a renewal; takes list of fields and field out of `rest`."""
    old_list, new_list = state.now(state.field_list), rest.pop(state.field_list)
    if isinstance(old_list, dict):
        _only_changed(old_list, new_list, {"Fields"}, "form-changed")
        old_list, new_list = old_list.get("Fields"), _dictionary(new_list).get("Fields")
    added = _appended(old_list, new_list, "form-changed")
    fresh = rest.pop(added, None)
    if not isinstance(fresh, dict) or added < state.size or not set(fresh) <= _RENEWAL_KEYS:
        raise RevisionsError("field-changed")
    box = fresh.get("Rect")
    if (
        fresh.get("FT") != Name("Sig")
        or not isinstance(box, list)
        or [repr(v) for v in box[:2]] != [repr(v) for v in box[2:]]
    ):
        raise RevisionsError("field-changed")
    return added, fresh


def _appended(before: Value, after: Value, reason: str) -> int:
    if not isinstance(before, list) or not isinstance(after, list) or repr(after[:-1]) != repr(before):
        raise RevisionsError(reason)
    last = after[-1] if len(after) == len(before) + 1 else None
    if not isinstance(last, Reference):
        raise RevisionsError(reason)
    return last.number


def _validation_data(view: dict[int, Value], state: _State, catalog: dict[str, Value]) -> set[int]:
    """Numbers of all objects of the document security store; raises RevisionsError if it holds anything else."""
    found: set[int] = set()
    if "DSS" not in catalog:
        return found

    def take(value: Value) -> Value:
        if not isinstance(value, Reference):
            return value
        if value.number not in view or state.sealed.has(value.number):
            raise RevisionsError("validation-data")
        found.add(value.number)
        return view[value.number]

    def take_streams(value: Value) -> None:
        items = take(value)
        if not isinstance(items, list):
            raise RevisionsError("validation-data")
        for item in items:
            _check_der(take(item))

    store = _dictionary(take(catalog["DSS"]))
    for key, value in store.items():
        if key in ("Certs", "CRLs", "OCSPs"):
            take_streams(value)
        elif key == "VRI":
            for name, entry in _dictionary(take(value)).items():
                if _VRI_KEY.fullmatch(name) is None:
                    raise RevisionsError("validation-data")
                for part, items in _dictionary(take(entry)).items():
                    if part in ("Cert", "CRL", "OCSP"):
                        take_streams(items)
                    elif part not in ("Type", "TU") or not isinstance(items, Name | Text):
                        raise RevisionsError("validation-data")
        elif key != "Type" or value != Name("DSS"):
            raise RevisionsError("validation-data")
    return found


def _check_der(value: Value) -> None:
    """A stream of the store is stored plainly and is a certificate or a CRL, nothing that could be shown."""
    if not isinstance(value, Stream) or set(value.header) != {"Length"} or len(value.data) > _MAX_DER:
        raise RevisionsError("validation-data")
    for load in (x509.load_der_x509_certificate, x509.load_der_x509_crl):
        try:
            load(value.data)
        # A version there is not is none of its ValueErrors.
        except (ValueError, x509.InvalidVersion):
            continue
        return
    raise RevisionsError("validation-data")


def _read_archive_stamp(pdf: bytes, update: Update, signature: dict[str, Value], key_set: KeySet) -> Stamp:
    """The archive timestamp of an update: over every byte of the file up to the update's end."""
    try:
        envelope = find_signature(pdf, update.start, update.end)
    except EnvelopeError as error:
        raise RevisionsError("timestamp-coverage") from error
    expected = {
        "Type": Name("DocTimeStamp"),
        "Filter": Name("Adobe.PPKLite"),
        "SubFilter": Name("ETSI.RFC3161"),
        "ByteRange": envelope.byte_range,
        "Contents": Text(pdf[envelope.before : envelope.after]),
    }
    if repr(sorted(signature.items())) != repr(sorted(expected.items())):
        raise RevisionsError("timestamp-form")
    try:
        return read_stamp(envelope.cms, envelope.covered(pdf), key_set)
    except (CmsError, ForeignSignerError, SignatureWrongError, TimeUnprovenError) as error:
        raise RevisionsError("timestamp-wrong") from error


def _dictionary(value: Value) -> dict[str, Value]:
    if not isinstance(value, dict):
        raise RevisionsError("objects-changed")
    return value
