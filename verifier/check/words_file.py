"""What is said of a file: its structure, its seal, what follows the seal, what is attached (see `words`)."""

from typing import Final

from verifier.check.phrases import BAD, OK, Phrase

FILE_PHRASES: Final[dict[str, Phrase]] = {
    # --- the file -----------------------------------------------------------------------------
    "file-registered": Phrase(
        "file-digest", OK, "文件与登记的原件逐字节一致。", "The file is byte for byte the one that was registered."
    ),
    "file-not-registered": Phrase(
        "file-digest",
        BAD,
        "电子印章完好，但文件与登记的原件不是逐字节一致（例如被另存、截断或追加过）。",
        "The seal is sound, but the file is not byte for byte the registered original "
        "(it was saved again, cut or added to).",
        "give-original",
    ),
    "file-unknown": Phrase(
        "file-digest", BAD, "没有登记过这样的文件。", "No such file was ever registered.", "upload-file"
    ),
    "structure-broken": Phrase(
        "structure", BAD, "文件结构损坏，无法读取。", "The file is broken and cannot be read.", "give-original"
    ),
    "structure-byterange": Phrase(
        "structure",
        BAD,
        "签名覆盖范围的写法不合规定。",
        "The signature's byte range is not written as a seal's must be.",
        "give-original",
    ),
    "structure-cms": Phrase(
        "structure",
        BAD,
        "签名数据的结构不合规定。",
        "The signature's structure is not that of a seal.",
        "give-original",
    ),
    "structure-sound": Phrase(
        "structure",
        OK,
        "只有一个电子印章，覆盖整个版本，没有空隙。",
        "There is exactly one seal and it covers its whole revision without a gap.",
    ),
    "seal-absent": Phrase(
        "seal",
        BAD,
        "文件上没有电子印章：这不是电子证书原件。",
        "The file bears no electronic seal: it is not an original.",
        "give-original",
    ),
    "seal-foreign": Phrase(
        "seal",
        BAD,
        "文件上的签名不是发证机关的电子印章。",
        "The signature on the file is not the authority's seal.",
        "refuse-untrusted",
    ),
    "seal-broken": Phrase(
        "seal", BAD, "盖章之后文件被改动过。", "The file was changed after it was sealed.", "refuse-altered"
    ),
    "seal-verified": Phrase(
        "seal",
        OK,
        "电子印章由发证机关的密钥签署，盖章后内容未被改动。",
        "The seal is by the authority's key and what it covers is unchanged.",
    ),
    "seal-key-revoked": Phrase(
        "seal-certificate",
        BAD,
        "盖章所用的密钥证书已被吊销或不合规定（{why}）。",
        "The certificate of the sealing key is revoked or not acceptable ({why}).",
        "ask-authority",
    ),
    "seal-certificate-good": Phrase(
        "seal-certificate",
        OK,
        "印章证书由发证机关的根证书签发，未被吊销。",
        "The seal's certificate chains to the authority's root and is not revoked.",
    ),
    "seal-time-proven": Phrase(
        "seal-time", OK, "盖章时间由可信时间戳证明。", "The time of sealing is proven by a trusted timestamp."
    ),
    "seal-time-registered": Phrase(
        "seal-time", OK, "盖章时间由登记系统证明。", "The time of sealing is vouched for by the register."
    ),
    "seal-time-unproven": Phrase(
        "seal-time",
        BAD,
        "盖章时间没有可信的时间戳证明（{why}）。",
        "The time of sealing is not proven by a trusted timestamp ({why}).",
        "give-original",
    ),
    "seal-certifies": Phrase(
        "permissions",
        OK,
        "印章声明：盖章后不得作任何改动。",
        "The seal certifies the document and permits no change.",
    ),
    "seal-permits-changes": Phrase(
        "permissions",
        BAD,
        "印章没有声明“不得改动”，不是证书印章。",
        "The seal does not forbid changes, so it is not a certificate's seal.",
        "refuse-untrusted",
    ),
    "revisions-sound": Phrase(
        "revisions",
        OK,
        "盖章之后只加入了我们自己的存档时间戳。",
        "After the seal nothing was added but our own archive timestamps.",
    ),
    "revisions-added": Phrase(
        "revisions",
        BAD,
        "盖章之后文件被追加或改动过（{why}）。",
        "Something was added or changed after the seal ({why}).",
        "refuse-altered",
    ),
    "archive-cut": Phrase(
        "revisions",
        BAD,
        "缺少应有的存档时间戳，文件被截断过。",
        "The archive timestamp that must be there is missing: the file was cut.",
        "give-original",
    ),
    "attachment-agrees": Phrase(
        "attachment", OK, "文件内附的签名数据完整有效。", "The signed data inside the file is whole and genuine."
    ),
    "attachment-missing": Phrase(
        "attachment", BAD, "文件内没有签名数据附件。", "The file carries no signed data.", "refuse-untrusted"
    ),
}
