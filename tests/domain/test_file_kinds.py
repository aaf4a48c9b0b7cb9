"""What a file is, by its path: documents by name are no code, whatever they are named (R-RT-1, R-SEC-1)."""

from __future__ import annotations

import pytest

from bot.domain.file_kinds import FileKind, kind_of

K = FileKind
KINDS = [
    *[(path, K.DOCS) for path in ("README.md", "LICENSE", "SECURITY", "docs/auth.ts", "README.md.gotmpl")],
    *[(path, K.DOCS) for path in ("website/content/start.mdx", "website/sidebars.js", "mkdocs.yml", "Notice")],
    *[(path, K.SOURCE) for path in ("security.py", "src/Security.java", "pkg/license.go", "src/notice.tsx")],
    *[(path, K.SOURCE) for path in ("src/changelog.ts", "website/src/app.tsx", "src/components/Sidebar.tsx")],
    *[(path, K.TEST) for path in ("a/.snapshots/b.json", "a/__snapshots__/b.snap", "src/security.test.ts")],
    *[(path, K.CONFIG) for path in ("config/security.yaml", "package.json", "scripts/notice.py")],
    *[(path, K.CI) for path in (".github/workflows/license.yml", "CODEOWNERS")],
    *[(path, K.LOCK) for path in ("go.sum", "packages/a/package-lock.json")],
    *[(path, K.SCHEMA) for path in ("db/migrations/0001_users.py", "prisma/schema.prisma")],
    ("src/app.scss", K.STYLE),
]


@pytest.mark.parametrize(("path", "kind"), KINDS)
def test_kind_of_a_file(path: str, kind: FileKind) -> None:
    assert kind_of(path) is kind
