# What a notice of each code says: a title, and details with the notice's arguments. Page and terminal read these files;
# tests/browser/test_texts.py holds them to what the nodes give.
link-down = No hub is heard: nothing comes from partners
link-up = A hub is heard again
hub-instance-down = One of the two hubs is not heard; the other carries all
    .detail = Not heard: { $hub }
hub-instance-up = Both hubs are heard
gap = Messages are missing
    .detail = { $count ->
        [one] { $count } message of { $party } on { $lane } did not come
       *[other] { $count } messages of { $party } on { $lane } did not come
    }
clock-off = Clocks differ
    .detail = { $party } and { $hub }: { $offset_ms } ms apart
clock-set-back = A process starts anew: its clock was set back
    .detail = { $source }: by { $by_ms } ms
clock-well = Clocks agree again
    .detail = { $party } and { $hub }
lease-ended = A party is silent: releases under an arrangement have stopped
    .detail = { $arrangement }: { $party } is silent
lease-renewed = The party is heard again: releases go on
    .detail = { $arrangement }: { $party }
arrangement-suspended = An arrangement was suspended
    .detail = { $arrangement }, by { $party } (word { NUMBER($number, useGrouping: 0) })
arrangement-resumed = An arrangement was resumed
    .detail = { $arrangement }, by { $party } (word { NUMBER($number, useGrouping: 0) })
arrangement-withdrawn = A party withdrew from an arrangement
    .detail = { $arrangement }, by { $party } (word { NUMBER($number, useGrouping: 0) })
arrangement-word-refused = A word on an arrangement had no effect
    .detail = { $word ->
        [suspended] { $party } would suspend { $arrangement } (word { NUMBER($number, useGrouping: 0) })
        [resumed] { $party } would resume { $arrangement } (word { NUMBER($number, useGrouping: 0) })
       *[withdrawn] { $party } would withdraw from { $arrangement } (word { NUMBER($number, useGrouping: 0) })
    }
arrangement-rollback = An older version of an arrangement was refused
    .detail = { $reason ->
        [older] { $arrangement } version { NUMBER($version, useGrouping: 0) }: a later one was held here before
        [text] { $arrangement } version { NUMBER($version, useGrouping: 0) }: another text of it was held here before
       *[mark] { $arrangement } version { NUMBER($version, useGrouping: 0) }: which version was held here before can't be read
    }
audit-fork = The hub showed two different audit records
    .detail = { $count ->
        [one] { $hub }, log { $log } of { $count } record
       *[other] { $hub }, log { $log } of { $count } records
    }
trust-renewed = Keys or arrangements have changed
    .detail = { $count ->
        [one] { $count } key trusted, { $revoked } revoked; arrangements (version): { $arrangement }
       *[other] { $count } keys trusted, { $revoked } revoked; arrangements (version): { $arrangement }
    }
arrangement-gone = An arrangement was taken away
    .detail = { $arrangement }: nothing more is released under it
keyring-rollback = A key that was revoked stays revoked
    .detail = { $outcome ->
        [refused] { $key }: nothing of the new files is taken
       *[kept] Key { $key }
    }
audit-near-full = The audit log is nearly full
    .detail = { $log }: { $count } of { $limit } records. Make room: beaconfire audit rotate
audit-full = The audit log is full: nothing is released
    .detail = { $log }: { $count } of { $limit } records. Make room: beaconfire audit rotate
audit-room-again = The audit log has room again
    .detail = { $log }: { $count } of { $limit } records
flash-expired = A FLASH message expired before it was delivered
    .detail = { $count ->
        [one] Towards { $party }: report { $report }
       *[other] Towards { $party }: { $count } reports, the first { $report }
    }
routine-expired = ROUTINE messages expired before they were delivered
    .detail = { $count ->
        [one] Towards { $party }: { $count } time
       *[other] Towards { $party }: { $count } times
    }
outbox-full = The outbox is full
    .detail = Towards { $party }: report { $report }
report-refused = A report was refused
    .detail = { $count ->
        [one] { $count } report, for { $reason }
       *[other] { $count } reports, the last for { $reason }
    }
refused-by-hub = The hub refused own reports: partners don't get them
    .detail = { $report ->
        [none] { $hub }: { $count } refused, the last a message that it could not read ({ $reason }, record { NUMBER($record, useGrouping: 0) } of { $log })
       *[other] { $hub }: { $count } refused, the last report { $report } ({ $reason }, record { NUMBER($record, useGrouping: 0) } of { $log })
    }
refused-by-partner = A partner refused what it was given
    .detail = { $report ->
        [none] { $party }: { $count } refused, the last a message that it could not read ({ $reason })
       *[other] { $party }: { $count } refused, the last report { $report } ({ $reason })
    }
sources-disagree = Sources disagree on one object
    .detail = { $track } and the rest of event { $event }: the area covers both
event-withdrawn = An event was withdrawn
    .detail = Event { $event }
journal-damaged = A journal is damaged
    .detail = { $reason }
journal-unwritable = A journal can't be written: nothing is receipted
    .detail = { $reason }
journal-written-again = The journal can be written again
tracker-full = More detections or tracks than the bounds allow
feed-line-rejected = A line of the feed was rejected
    .detail = { $line }: { $reason }
feed-lines-rejected = Lines of the feed were rejected
    .detail = { $count ->
        [one] { $count } more line
       *[other] { $count } more lines
    }
receipted-again = The hub receipts again
    .detail = { $hub }
clock-barred = A partner's clock is wrong: its reports are left out of the picture
    .detail = { $count ->
        [one] { $party }, track { $track }: more than { $limit_ms } ms from the own clock; { $count } report
       *[other] { $party }, track { $track }: more than { $limit_ms } ms from the own clock; { $count } reports
    }
arrangement-refused = An arrangement could not be taken
    .detail = { $reason }
arrangement-expired = An arrangement has expired: nothing more is released under it
    .detail = { $arrangement }
outbox-expired = A message expired before it was sent
    .detail = Towards { $party }: report { $report }
outbox-oversize = A message is too large to be sent
    .detail = Towards { $party }: report { $report }
detection-unknown-sensor = Detections of an unknown sensor are rejected
    .detail = From { $origin }
detection-other-nation = Detections of another nation are rejected
    .detail = From { $origin }
detection-wrong-kind = What is no detection of that sensor is rejected
    .detail = From { $origin }
detection-not-finite = Detections without a finite value are rejected
    .detail = From { $origin }
detection-clock = Own sensors are not used: their clocks and this node's differ
    .detail = { $origin }: { $off_s } s apart
detection-future = Detections from the future are rejected
    .detail = From { $origin }
detection-too-old = Detections that are too old are rejected
    .detail = From { $origin }
detection-out-of-range = Detections outside a sensor's field are rejected
    .detail = From { $origin }
detection-oversize-batch = A batch of detections is too large
    .detail = From { $origin }
unreceipted = A hub receipts nothing
    .detail = { $hub } is there and receipts nothing: it may have no room to write
journal-spoilt = Records of a journal are spoilt
    .detail = { $count ->
        [one] { $count } record
       *[other] { $count } records
    }
feed-connection-rejected = A connection to the feed was refused
    .detail = { $feed }: { $limit } are open already
