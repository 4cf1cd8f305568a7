"""The independent receipt printer emupos 0.4.0, and what can be read on its paper.

    printer.py serve FOLDER PORT CONTROL    runs the printer on PORT, its control interface on CONTROL
    printer.py read FOLDER                  the paper, oldest first, one JSON line each: text, and QR codes by their picture

emupos writes what it printed as code page 437, which loses nothing: the same bytes read as GB18030 are the Chinese.
"""

import importlib.machinery
import json
import pathlib
import re
import sys

DEVICE = "judge"
CONFIGURATION = """
schema: 1
api: {{host: 127.0.0.1, port: {control}}}
devices:
  - id: {device}
    type: printer
    profile: epson-tm-t20iii
    connections: [{{tcp: {{host: 127.0.0.1, port: {port}}}}}]
    receipts_dir: {folder}
"""


def read_older_syntax() -> None:
    """Python before 3.12 has no `type X = Y` and no `def f[T](`; emupos uses nothing else that is newer."""
    if sys.version_info >= (3, 12):
        return
    loader = importlib.machinery.SourceFileLoader
    original = loader.source_to_code

    def source_to_code(self, data, path, *, _optimize=-1):
        if "emupos" in pathlib.Path(path).parts:
            text = re.sub(r"(?m)^type (\w+) = ", r"\1 = ", data.decode())
            generic = r'from typing import TypeVar; T = TypeVar("T")' + "\n" + r"def \1("
            data = re.sub(r"(?m)^def (\w+)\[T\]\(", generic, text).encode()
        return original(self, data, path, _optimize=_optimize)

    loader.source_to_code = source_to_code


def serve(folder: str, port: str, control: str) -> None:
    read_older_syntax()
    from emupos.config import parse_config
    from emupos.daemon.server import serve as run

    text = CONFIGURATION.format(device=DEVICE, port=port, control=control, folder=folder)
    loaded = parse_config(text, "printer.py", pathlib.Path(folder))
    run(loaded, lambda _: print("emupos ready", flush=True))


def read(folder: str) -> None:
    import zxingcpp
    from PIL import Image

    for meta in sorted(pathlib.Path(folder).glob(f"{DEVICE}-*.json")):
        dump = meta.with_suffix(".txt").read_text(encoding="utf-8")
        text = dump.encode("cp437").decode("gb18030")
        with Image.open(meta.with_suffix(".png")) as picture:
            found = zxingcpp.read_barcodes(picture.convert("L"))
        codes = [code.text for code in found if code.format == zxingcpp.BarcodeFormat.QRCode]
        print(json.dumps({"text": text, "qr": codes}, ensure_ascii=False))


if __name__ == "__main__":
    {"serve": serve, "read": read}[sys.argv[1]](*sys.argv[2:])
