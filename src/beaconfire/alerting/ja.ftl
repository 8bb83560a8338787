# 警報の文。キーは en.ftl と同じ。

between = { "" }

mode = { $mode ->
    [EXERCISE] 【訓練】{ $mode }:これは訓練です。実際の警報ではありません。
    [TEST] 【試験】{ $mode }:これは試験です。実際の警報ではありません。
   *[SIMULATED] 【模擬】{ $mode }:模擬データによるもので、実際の警報ではありません。
 }

heading = { $action ->
    [update] 弾道ミサイル警報(続報)。
   *[issue] 弾道ミサイル警報。
 }

place-IMPACT = { $place }では、日本時間{ $local }({ $time } UTC)以降、落下のおそれがあります(可能性{ $probability })。
place-OVERFLIGHT = { $place }の上空を、日本時間{ $local }({ $time } UTC)以降、通過するおそれがあります(可能性{ $probability })。

more = ほかに{ $count }か所が対象となっています。

lost = 飛翔体を追尾できなくなりました。対象の範囲は時間とともに広がっています。
manoeuvring = 弾道軌道とは異なる飛び方をしているため、ほかの場所に落下するおそれがあります。
alone = 関係国との通信が途絶えており、自国のセンサーのみに基づく情報です。

cancel = { $reason ->
    [withdrawn] 弾道ミサイル警報を解除します。飛翔体は存在しなかったことが確認されました。
    [no-places] 弾道ミサイル警報を解除します。対象となる場所はなくなりました。
   *[ended] 弾道ミサイル警報を解除します。飛翔体はすでに落下したものとみられます。
 }
