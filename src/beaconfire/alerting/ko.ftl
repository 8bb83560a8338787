# 경보문. 키는 en.ftl과 같다.

between = { " " }

mode = { $mode ->
    [EXERCISE] [훈련] { $mode }: 훈련 상황이며 실제 경보가 아닙니다.
    [TEST] [시험] { $mode }: 시험 발령이며 실제 경보가 아닙니다.
   *[SIMULATED] [모의] { $mode }: 모의 자료에 따른 것이며 실제 경보가 아닙니다.
 }

heading = { $action ->
    [update] 탄도미사일 경보(갱신).
   *[issue] 탄도미사일 경보.
 }

place-IMPACT = { $place }에 한국시각 { $local }({ $time } UTC) 이후 낙하할 우려가 있습니다(가능성 { $probability }).
place-OVERFLIGHT = { $place } 상공을 한국시각 { $local }({ $time } UTC) 이후 통과할 우려가 있습니다(가능성 { $probability }).

more = 그 밖에 { $count }곳이 더 해당됩니다.

lost = 비행체를 더 이상 추적하지 못하고 있습니다. 해당 구역은 시간이 지날수록 넓어집니다.
manoeuvring = 탄도 궤도와 다르게 비행하고 있어 다른 곳에 낙하할 우려가 있습니다.
alone = 협력국과의 통신이 끊겨 자국 센서에만 근거한 정보입니다.

cancel = { $reason ->
    [withdrawn] 탄도미사일 경보를 해제합니다. 비행체가 없었던 것으로 확인되었습니다.
    [no-places] 탄도미사일 경보를 해제합니다. 해당되는 지역이 더 이상 없습니다.
   *[ended] 탄도미사일 경보를 해제합니다. 비행체는 이미 낙하한 것으로 판단됩니다.
 }
