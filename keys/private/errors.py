"""What can go wrong with private keys, said in both languages. Never holds key material or a passphrase."""


class KeyStoreError(Exception):
    """A key cannot be had. `code` is stable; `zh` and `en` say what happened and what to do next."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.code = code
        self.zh = zh
        self.en = en
