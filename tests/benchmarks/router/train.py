"""Train the router's text model anew and write it into the package: `make train-router`. The same bytes each time."""

from __future__ import annotations

import sys
import zlib

from bot.adapters.router_weights import PATH, dump
from tests.benchmarks.router.build import ALL, assemble, read, train
from tests.benchmarks.router.data import FOLDS


def main() -> int:
    material = read()
    trained = train(material, [*range(FOLDS), ALL])
    whole = trained.pop(ALL)
    content = dump(assemble(material, whole, list(trained.values())))
    same = PATH.exists() and PATH.read_bytes() == content
    PATH.write_bytes(content)
    state = "unchanged" if same else "written"
    print(f"{PATH.name}: {state}, {len(content):,} bytes, crc32 {zlib.crc32(content):08x}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
