# What a warning says. ja.ftl and ko.ftl hold the same keys; tests/unit/alerting/test_texts.py compares them.
# One sentence a message: a warning is put together from those that apply. $time is UTC, $local that of the language.

between = { " " }

mode = { $mode }: this is not a real warning.

heading = { $action ->
    [update] Ballistic missile warning, updated.
   *[issue] Ballistic missile warning.
 }

place-IMPACT = May come down at { $place } from { $time } UTC on ({ $probability }).
place-OVERFLIGHT = May pass over { $place } from { $time } UTC on ({ $probability }).

more = { $count ->
    [one] One more place is concerned.
   *[other] { $count } more places are concerned.
 }

lost = The object is out of sight: the stated area is growing.
manoeuvring = The flight is not ballistic: it may come down elsewhere.
alone = From own sensors only: there is no link to partners.

cancel = { $reason ->
    [withdrawn] The ballistic missile warning is cancelled: no object was there.
    [no-places] The ballistic missile warning is cancelled: no named place is concerned any more.
   *[ended] The ballistic missile warning is cancelled: the object must be down by now.
 }
