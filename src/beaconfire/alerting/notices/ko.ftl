link-down = 허브 무응답: 협력국 정보가 들어오지 않습니다
link-up = 허브가 다시 수신됩니다
hub-instance-down = 허브 하나가 무응답이며 다른 허브가 모두 처리합니다
    .detail = 무응답 허브: { $hub }
hub-instance-up = 두 허브가 모두 수신됩니다
gap = 메시지가 누락되었습니다
    .detail = { $party }의 { $lane } 전문 { $count }건이 오지 않았습니다
clock-off = 시계가 어긋나 있습니다
    .detail = { $party } - { $hub } 차이 { $offset_ms } 밀리초
clock-set-back = 시계가 되돌려져 프로세스를 다시 시작합니다
    .detail = { $source }: { $by_ms } 밀리초
clock-well = 시계가 다시 일치합니다
    .detail = { $party } - { $hub }
lease-ended = 당사국 무응답: 협정에 따른 공개가 중단되었습니다
    .detail = { $arrangement }: { $party } 무응답
lease-renewed = 당사국이 다시 수신되어 공개를 재개합니다
    .detail = { $arrangement }: { $party }
arrangement-suspended = 협정이 정지되었습니다
    .detail = { $arrangement }: { $party } 통고 { NUMBER($number, useGrouping: 0) }호
arrangement-resumed = 협정이 재개되었습니다
    .detail = { $arrangement }: { $party } 통고 { NUMBER($number, useGrouping: 0) }호
arrangement-withdrawn = 당사국이 협정에서 탈퇴했습니다
    .detail = { $arrangement }: { $party } 통고 { NUMBER($number, useGrouping: 0) }호
arrangement-word-refused = 협정에 대한 통고가 효력이 없었습니다
    .detail = { $word ->
        [suspended] { $party }의 { $arrangement } 정지(통고 { NUMBER($number, useGrouping: 0) }호)
        [resumed] { $party }의 { $arrangement } 재개(통고 { NUMBER($number, useGrouping: 0) }호)
       *[withdrawn] { $party }의 { $arrangement } 탈퇴(통고 { NUMBER($number, useGrouping: 0) }호)
    }
arrangement-rollback = 이전 판의 협정을 거부했습니다
    .detail = { $reason ->
        [older] { $arrangement } { NUMBER($version, useGrouping: 0) }판: 더 새로운 판을 보유한 기록이 있습니다
        [text] { $arrangement } { NUMBER($version, useGrouping: 0) }판: 같은 판의 다른 문안을 보유한 기록이 있습니다
       *[mark] { $arrangement } { NUMBER($version, useGrouping: 0) }판: 이전에 보유한 판의 기록을 읽을 수 없습니다
    }
audit-fork = 허브가 서로 다른 감사 기록을 제시했습니다
    .detail = { $hub }: 감사 기록 { $log }({ $count }건 시점)
trust-renewed = 키 또는 협정이 바뀌었습니다
    .detail = 신뢰하는 키 { $count }개, 폐기 { $revoked }개. 협정(판): { $arrangement }
arrangement-gone = 협정이 제거되었습니다
    .detail = { $arrangement }: 이에 따른 공개가 멈췄습니다
keyring-rollback = 폐기된 키는 폐기된 상태로 남습니다
    .detail = { $outcome ->
        [refused] { $key }: 새 파일의 내용을 전혀 받아들이지 않았습니다
       *[kept] 키 { $key }
    }
audit-near-full = 감사 기록의 공간이 얼마 남지 않았습니다
    .detail = { $log }: { $limit }건 중 { $count }건. beaconfire audit rotate 로 공간을 확보하십시오
audit-full = 감사 기록이 가득 찼습니다. 아무것도 공개되지 않습니다
    .detail = { $log }: { $limit }건 중 { $count }건. beaconfire audit rotate 로 공간을 확보하십시오
audit-room-again = 감사 기록에 다시 공간이 생겼습니다
    .detail = { $log }: { $limit }건 중 { $count }건
flash-expired = FLASH 메시지가 전달 전에 만료되었습니다
    .detail = { $count ->
        [1] 수신처 { $party }: 보고 { $report }
       *[other] 수신처 { $party }: 보고 { $count }건(첫째 { $report })
    }
routine-expired = ROUTINE 메시지가 전달 전에 만료되었습니다
    .detail = 수신처 { $party }: { $count }건
outbox-full = 발신함이 가득 찼습니다
    .detail = 수신처 { $party }: 보고 { $report }
report-refused = 보고를 거부했습니다
    .detail = { $count }건, 마지막 사유 { $reason }
refused-by-hub = 허브가 자국 보고를 거부했습니다: 상대국에 전달되지 않습니다
    .detail = { $report ->
        [none] { $hub }: { $count }건 거부, 마지막은 읽을 수 없는 전문({ $reason }, { $log }의 기록 { NUMBER($record, useGrouping: 0) })
       *[other] { $hub }: { $count }건 거부, 마지막은 보고 { $report }({ $reason }, { $log }의 기록 { NUMBER($record, useGrouping: 0) })
    }
refused-by-partner = 상대국이 전달된 보고를 거부했습니다
    .detail = { $report ->
        [none] { $party }: { $count }건 거부, 마지막은 읽을 수 없는 전문({ $reason })
       *[other] { $party }: { $count }건 거부, 마지막은 보고 { $report }({ $reason })
    }
sources-disagree = 같은 비행체에 대해 정보원이 서로 다릅니다
    .detail = { $track } - 사건 { $event }의 다른 정보원. 구역은 양쪽을 포함합니다
event-withdrawn = 사건이 철회되었습니다
    .detail = 사건 { $event }
journal-damaged = 기록이 손상되었습니다
    .detail = 내용: { $reason }
journal-unwritable = 기록에 쓸 수 없음: 수령 확인이 중단됩니다
    .detail = 원인: { $reason }
journal-written-again = 기록에 다시 쓸 수 있습니다
tracker-full = 탐지 또는 항적이 상한을 넘었습니다
feed-line-rejected = 입력 자료의 행을 거부했습니다
    .detail = { $line }, 사유: { $reason }
feed-lines-rejected = 입력 자료의 여러 행을 거부했습니다
    .detail = 그 밖에 { $count }행
receipted-again = 허브가 다시 수령을 확인합니다
    .detail = { $hub }
clock-barred = 상대국의 시계가 어긋나 그 보고를 상황도에 넣지 않습니다
    .detail = { $party }, 항적 { $track }: 자국 시계와의 차이가 { $limit_ms } 밀리초를 넘습니다(보고 { $count }건)
arrangement-refused = 협정을 받아들이지 못했습니다
    .detail = 사유: { $reason }
arrangement-expired = 협정이 만료되어 이에 따른 공개가 멈췄습니다
    .detail = { $arrangement }
outbox-expired = 보내기 전에 만료된 전문이 있습니다
    .detail = 수신처 { $party }: 보고 { $report }
outbox-oversize = 너무 커서 보낼 수 없는 전문이 있습니다
    .detail = 수신처 { $party }: 보고 { $report }
detection-unknown-sensor = 알 수 없는 센서의 탐지를 거부했습니다
    .detail = 발신 { $origin }
detection-other-nation = 다른 나라의 탐지를 거부했습니다
    .detail = 발신 { $origin }
detection-wrong-kind = 센서 종류에 맞지 않는 입력을 거부했습니다
    .detail = 발신 { $origin }
detection-not-finite = 유한하지 않은 값의 탐지를 거부했습니다
    .detail = 발신 { $origin }
detection-clock = 자국 센서를 사용하지 않습니다: 센서와 이 노드의 시계가 어긋나 있습니다
    .detail = { $origin }와 차이 { $off_s } 초
detection-future = 미래 시각의 탐지를 거부했습니다
    .detail = 발신 { $origin }
detection-too-old = 너무 오래된 탐지를 거부했습니다
    .detail = 발신 { $origin }
detection-out-of-range = 센서 범위를 벗어난 탐지를 거부했습니다
    .detail = 발신 { $origin }
detection-oversize-batch = 한 번에 온 탐지가 너무 많습니다
    .detail = 발신 { $origin }
unreceipted = 허브가 수령을 확인하지 않습니다
    .detail = { $hub } 응답은 있으나 수령 확인이 없습니다: 기록할 공간이 없을 수 있습니다
journal-spoilt = 기록 일부가 손상되었습니다
    .detail = { $count }건
feed-connection-rejected = 입력 연결을 거부했습니다
    .detail = { $feed }: 이미 { $limit }개가 연결되어 있습니다
