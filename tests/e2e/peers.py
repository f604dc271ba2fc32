"""Who plays AWS for a case, and where its recovery points lie: the columns of the matrix."""
import os
import pathlib
import re
import shutil

from world import Awsim, DynamodbLocal, Server, Versitygw

BUCKET = "points"


class FileTree:
    """The files of a recovery point on disk."""

    def __init__(self, location):
        self.folder = pathlib.Path(location.removeprefix("file://"))

    def paths(self):
        return sorted(str(f.relative_to(self.folder)) for f in self.folder.rglob("*") if f.is_file())

    def read(self, path):
        return (self.folder / path).read_bytes()

    def write(self, path, data):
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_bytes(data)

    def remove(self, path):
        (self.folder / path).unlink()


class BucketTree:
    """The same in a bucket."""

    def __init__(self, location, s3):
        self.s3 = s3
        self.prefix = location.removeprefix(f"s3://{BUCKET}/").rstrip("/") + "/"

    def paths(self):
        rows = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=self.prefix).get("Contents", [])
        return sorted(row["Key"].removeprefix(self.prefix) for row in rows)

    def read(self, path):
        return self.s3.get_object(Bucket=BUCKET, Key=self.prefix + path)["Body"].read()

    def write(self, path, data):
        self.s3.put_object(Bucket=BUCKET, Key=self.prefix + path, Body=data)

    def remove(self, path):
        self.s3.delete_object(Bucket=BUCKET, Key=self.prefix + path)


class BesideS3:
    """The buckets on a real S3 server, everything else as `program` plays it."""

    def __init__(self, program):
        self.main, self.s3 = program(), Versitygw()
        self.env = {"AWS_ENDPOINT_URL": self.main.url, "AWS_ENDPOINT_URL_S3": self.s3.url}

    def client(self, service):
        return (self.s3 if service == "s3" else self.main).client(service)

    def reset(self):
        self.main.reset()
        self.s3.reset()

    def stop(self):
        self.main.stop()
        self.s3.stop()

    def __getattr__(self, name):  # the ledger and the faults of awsim
        return getattr(self.main, name)


class AwsimBesideS3(BesideS3):
    def __init__(self):
        super().__init__(Awsim)


class LocalBesideS3(BesideS3):
    def __init__(self):
        super().__init__(DynamodbLocal)


class Peer:
    """One AWS and one recoverd that lives as long as the cases of a file."""

    def __init__(self, name, aws):
        self.name, self.aws = name, aws
        self.emulated = isinstance(getattr(aws, "main", aws), Awsim)  # has a ledger, table ids, tags and the services beside DynamoDB
        self.in_bucket = name.endswith("s3")
        aws.reset()
        if self.in_bucket:
            aws.client("s3").create_bucket(Bucket=BUCKET)
        self.server = self.fresh_server()
        self.dynamodb = aws.client("dynamodb")

    def fresh_server(self, **options):
        """Another recoverd for the same AWS, which knows nothing yet."""
        if self.in_bucket:
            options = {"root": f"s3://{BUCKET}/recoverd", "uri_roots": [f"s3://{BUCKET}/foreign"], **options}
        if isinstance(self.aws, BesideS3):
            options = {"env": self.aws.env, "unencrypted": True, **options}
        server = Server(None if isinstance(self.aws, BesideS3) else self.aws.url, account=self.emulated, **options).start()
        return server

    def foreign(self, folder):
        """-> (uri, tree) of a folder below the server's uri_roots."""
        uri = f"s3://{BUCKET}/foreign/{folder}" if self.in_bucket else f"file://{self.server.dir}/foreign/{folder}"
        return uri, self.tree(uri)

    def tree(self, location):
        return BucketTree(location, self.aws.client("s3")) if self.in_bucket else FileTree(location)

    def made(self, operation, table):
        """How often it took effect on this table, by the ledger; 1 where there is none: the table itself is looked at then."""
        if not self.emulated:
            return 1
        return len([row for row in self.aws.effects(operation) if row["resource"].split("/")[-1] == table])

    def stop(self):
        end(self.server)


# what sanitizers and valgrind (-q) leave in the log of a server that runs under them
REPORT = re.compile(r"^(WARNING: ThreadSanitizer|==\d+==|SUMMARY: \w+Sanitizer|.*: runtime error: ).*", re.M)


def end(server):
    """Stops it, when it was started, and removes its folder; a server that cannot be stopped in order is a fault of its own."""
    code = server.stop()
    log = (server.dir / "log").read_text(errors="replace")
    shutil.rmtree(server.dir)
    report = REPORT.search(log)
    assert not report, "\n".join(sorted(set(re.findall(r"^SUMMARY.*|^==.*", log, re.M)))[:40]) + "\n" + log[max(0, report.start() - 300):report.start() + 6000]
    assert code in (None, 0), f"the server ended with {code}: {log[-3000:]}"


PEERS = {"awsim": Awsim, "awsim s3": Awsim, "dynamodb local": DynamodbLocal, "local versity s3": LocalBesideS3}
if os.environ.get("TORTURE"):  # the long form
    PEERS["awsim versity s3"] = AwsimBesideS3
