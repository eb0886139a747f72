"""Words for what a registration rests on: facts, comparisons, materials, commitment (R2, R3)."""

from issuer.errors import Words

REGISTRATION_WORDS: dict[str, dict[str, Words]] = {
    "fact": {
        "education": Words("学历", "education"),
        "major": Words("所学专业", "major"),
        "years": Words("工作年限", "years of work"),
    },
    "source": {
        "education": Words("教育部门数据", "education register"),
        "employment": Words("人社、社保数据", "employment and insurance register"),
    },
    "comparison": {
        "match": Words("一致", "agrees"),
        "differs": Words("不一致", "differs"),
        "not-found": Words("未查到", "not found"),
        "unreachable": Words("数据来源未答复", "the register did not answer"),
    },
    "fact-state": {
        "settled": Words("已核实", "settled"),
        "asked": Words("需提交材料", "material asked"),
        "waiting": Words("待比对", "to be compared"),
    },
    "fact-why": {
        "compared": Words("与登记数据一致，无需提交材料", "agrees with the register; nothing is needed"),
        "known-compared": Words("此前考试已比对一致，不再重复要求", "agreed at an earlier sitting; not asked again"),
        "known-material": Words("此前考试已核实材料，不再重复要求", "proved at an earlier sitting; not asked again"),
        "accepted": Words("提交的材料已核实", "the material handed in was accepted"),
        "differs": Words("填报内容与登记数据不一致", "what was declared differs from the register"),
        "not-found": Words("登记数据中未查到", "the register holds nothing of it"),
        "on-evidence": Words("报名时未采用告知承诺制", "registered without commitment"),
        "no-commitment": Words("没有有效的告知承诺", "no commitment that counts is on record"),
        "not-compared": Words("尚未比对，暂不需要提交材料", "not compared yet; nothing is asked of you"),
        "unreachable": Words("数据来源暂未答复，将再次比对", "the register did not answer; it will be asked again"),
    },
    "material": {
        "education-certificate": Words("学历（学位）证书", "education (degree) certificate"),
        "education-report": Words("学历学位认证报告", "verified report on the degree"),
        "employment-proof": Words("工作年限证明", "proof of years of work"),
        "social-insurance": Words("社会保险缴费记录", "record of social insurance"),
    },
    "material-state": {
        "given": Words("已提交，待核查", "handed in"),
        "accepted": Words("已核实", "accepted"),
        "declined": Words("不予采用", "declined"),
        "replaced": Words("已替换", "replaced"),
        "withdrawn": Words("已撤回", "taken back"),
    },
    "commitment": {
        "stands": Words("已承诺", "accepted"),
        "none": Words("未作承诺", "not accepted"),
        "withdrawn": Words("已撤回承诺", "taken back"),
        "other-text": Words("承诺的不是当日有效文本", "not the text in force that day"),
        "not-own": Words("非本人承诺", "not the candidate's own act"),
    },
    "channel": {
        "online": Words("本页面", "on this page"),
        "registration": Words("网上报名系统", "in the registration system"),
        "counter": Words("现场签署", "signed on paper"),
    },
}
