"""What the linters look at: the C files that git knows or would add."""
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]
ROOMS = ["base", "net", "item", "store", "aws", "http", "auth", "audit", "engine", "jobs", "handlers", "server", "ctl"]


def known(*patterns):
    """Paths relative to the root, sorted."""
    out = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns],
                         cwd=ROOT, check=True, capture_output=True).stdout.decode()
    return sorted({path for path in out.split("\0") if path and (ROOT / path).exists()})


def pending():
    """Path prefixes whose owners are still writing; tools/lint-pending is absent when nothing is."""
    file = ROOT / "tools/lint-pending"
    return tuple(file.read_text().split()) if file.exists() else ()


def c_files(product_only=False):
    skipped = pending()
    files = [path for path in known("*.c", "*.h") if not (skipped and path.startswith(skipped))]
    return [path for path in files if not product_only or path.split("/")[0] in ROOMS]
