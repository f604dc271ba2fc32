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


def c_files(product_only=False):
    return [path for path in known("*.c", "*.h") if not product_only or path.split("/")[0] in ROOMS]
