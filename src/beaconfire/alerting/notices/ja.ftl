link-down = ハブからの受信がありません:関係国の情報は届いていません
link-up = ハブを再び受信しています
hub-instance-down = ハブの一方が受信できません。もう一方がすべてを担っています
    .detail = 受信のないハブ:{ $hub }
hub-instance-up = 両方のハブを受信しています
gap = メッセージに欠落があります
    .detail = { $party } からの { $lane } 電文 { $count } 件が届いていません
clock-off = 時計がずれています
    .detail = { $party } と { $hub } の差 { $offset_ms } ミリ秒
clock-set-back = 時計が戻されたため、プロセスを起動し直します
    .detail = { $source }:{ $by_ms } ミリ秒
clock-well = 時計が再び一致しました
    .detail = { $party } と { $hub }
lease-ended = 当事国の応答が途絶え、取決めに基づく開示が止まりました
    .detail = { $arrangement }:{ $party } が応答していません
lease-renewed = 当事国が応答し、開示を再開しました
    .detail = { $arrangement }:{ $party }
arrangement-suspended = 取決めが停止されました
    .detail = { $arrangement }:{ $party } による(通告 { NUMBER($number, useGrouping: 0) })
arrangement-resumed = 取決めが再開されました
    .detail = { $arrangement }:{ $party } による(通告 { NUMBER($number, useGrouping: 0) })
arrangement-withdrawn = 当事国が取決めから離脱しました
    .detail = { $arrangement }:{ $party } が離脱(通告 { NUMBER($number, useGrouping: 0) })
arrangement-word-refused = 取決めに関する通告は無効でした
    .detail = { $word ->
        [suspended] { $party } による { $arrangement } の停止(通告 { NUMBER($number, useGrouping: 0) })
        [resumed] { $party } による { $arrangement } の再開(通告 { NUMBER($number, useGrouping: 0) })
       *[withdrawn] { $party } の { $arrangement } からの離脱(通告 { NUMBER($number, useGrouping: 0) })
    }
arrangement-rollback = 古い版の取決めを拒否しました
    .detail = { $reason ->
        [older] { $arrangement } 第 { NUMBER($version, useGrouping: 0) } 版:これより新しい版を保持した記録があります
        [text] { $arrangement } 第 { NUMBER($version, useGrouping: 0) } 版:同じ版で別の文面を保持した記録があります
       *[mark] { $arrangement } 第 { NUMBER($version, useGrouping: 0) } 版:以前に保持した版の記録が読めません
    }
audit-fork = ハブが食い違う監査記録を示しました
    .detail = { $hub }:監査記録 { $log }({ $count } 件の時点)
trust-renewed = 鍵または取決めが変わりました
    .detail = 信頼する鍵 { $count } 個、失効 { $revoked } 個。取決め(版):{ $arrangement }
arrangement-gone = 取決めが取り除かれました
    .detail = { $arrangement }:これによる開示は止まりました
keyring-rollback = 失効した鍵は失効したままです
    .detail = { $outcome ->
        [refused] { $key }:新しいファイルの内容は一切取り入れていません
       *[kept] 鍵 { $key }
    }
audit-near-full = 監査記録の空きが残りわずかです
    .detail = { $log }:{ $limit } 件中 { $count } 件。beaconfire audit rotate で空きを作ってください
audit-full = 監査記録が満杯です。何も開示されません
    .detail = { $log }:{ $limit } 件中 { $count } 件。beaconfire audit rotate で空きを作ってください
audit-room-again = 監査記録に再び空きができました
    .detail = { $log }:{ $limit } 件中 { $count } 件
flash-expired = FLASH メッセージが届く前に期限切れになりました
    .detail = { $count ->
        [1] { $party } 宛て:報告 { $report }
       *[other] { $party } 宛て:報告 { $count } 件(最初は { $report })
    }
routine-expired = ROUTINE メッセージが届く前に期限切れになりました
    .detail = { $party } 宛て:{ $count } 件
outbox-full = 送信待ちが満杯です
    .detail = { $party } 宛て:報告 { $report }
report-refused = 報告を拒否しました
    .detail = { $count } 件、最後の理由 { $reason }
refused-by-hub = ハブが自国の報告を拒否しました：相手国に届いていません
    .detail = { $report ->
        [none] { $hub } が { $count } 件を拒否。最後は読み取れない電文({ $reason }、{ $log } の記録 { NUMBER($record, useGrouping: 0) })
       *[other] { $hub } が { $count } 件を拒否。最後は報告 { $report }({ $reason }、{ $log } の記録 { NUMBER($record, useGrouping: 0) })
    }
refused-by-partner = 相手国が配信を拒否しました
    .detail = { $report ->
        [none] { $party } が { $count } 件を拒否。最後は読み取れない電文({ $reason })
       *[other] { $party } が { $count } 件を拒否。最後は報告 { $report }({ $reason })
    }
sources-disagree = 同一の飛翔体について情報源が食い違っています
    .detail = { $track } と事象 { $event } の他の情報源。区域は双方を含みます
event-withdrawn = 事象が取り消されました
    .detail = 事象 { $event }
journal-damaged = 記録に損傷があります
    .detail = 内容:{ $reason }
journal-unwritable = 記録に書き込めません:受領は行われません
    .detail = 原因:{ $reason }
journal-written-again = 記録に再び書き込めます
tracker-full = 検知または航跡が上限を超えています
feed-line-rejected = 入力データの行を拒否しました
    .detail = { $line }、理由:{ $reason }
feed-lines-rejected = 入力データの複数の行を拒否しました
    .detail = ほかに { $count } 行
receipted-again = ハブが再び受領を返しています
    .detail = { $hub }
clock-barred = 相手国の時計がずれています:その報告は状況図に入れません
    .detail = { $party }、航跡 { $track }:自国の時計との差が { $limit_ms } ミリ秒を超えています(報告 { $count } 件)
arrangement-refused = 取決めを受け入れられませんでした
    .detail = 理由:{ $reason }
arrangement-expired = 取決めの期限が切れました:これによる開示は止まりました
    .detail = { $arrangement }
outbox-expired = 送信前に期限が切れた電文があります
    .detail = { $party } 宛て:報告 { $report }
outbox-oversize = 大きすぎて送信できない電文があります
    .detail = { $party } 宛て:報告 { $report }
detection-unknown-sensor = 未知のセンサーの探知を拒否しました
    .detail = 発信元 { $origin }
detection-other-nation = 他国の探知を拒否しました
    .detail = 発信元 { $origin }
detection-wrong-kind = センサーの種類に合わない入力を拒否しました
    .detail = 発信元 { $origin }
detection-not-finite = 有限値でない探知を拒否しました
    .detail = 発信元 { $origin }
detection-clock = 自国センサーを使用していません:センサーとこのノードの時計がずれています
    .detail = { $origin } との差 { $off_s } 秒
detection-future = 未来の時刻の探知を拒否しました
    .detail = 発信元 { $origin }
detection-too-old = 古すぎる探知を拒否しました
    .detail = 発信元 { $origin }
detection-out-of-range = センサーの範囲外の探知を拒否しました
    .detail = 発信元 { $origin }
detection-oversize-batch = 一度に届いた探知が多すぎます
    .detail = 発信元 { $origin }
unreceipted = ハブが受領を返しません
    .detail = { $hub } は応答しますが受領を返しません:書き込む空きがない可能性があります
journal-spoilt = 記録の一部が壊れています
    .detail = { $count } 件
feed-connection-rejected = 入力への接続を拒否しました
    .detail = { $feed }:すでに { $limit } 本が接続中です
