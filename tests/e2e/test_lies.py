"""AWS answers, and what it says is not so. Each lie ends the job with a code that names it, or the first job that can know of it; the
matrix of lies and codes is printed. A lie may be an accident, so a job asks again for a while: the jobs wait side by side."""
import concurrent.futures
import email.utils
import json
import threading
import time

import pytest

from liar import Liar
from peers import BUCKET, end
from world import Awsim, Server, items_of, make_table, plain_items, put_items

ITEMS = plain_items(400, 200)


def of(operation, bend, when=lambda call: True):
    """A lie about every answer of an operation that went well."""
    def lie(call, host):
        if call.operation != operation or not when(call):
            return False
        call.forward(host)
        if call.status // 100 == 2:
            bend(call)
        return True
    return lie


def of_json(operation, change, when=lambda call: True):
    def bend(call):
        answer = call.said
        change(call, answer)
        call.say(answer)
    return of(operation, bend, when)


# -- DynamoDB ------------------------------------------------------------------------------------------------------


def counted(answer, items):
    answer.update(Items=items, Count=len(items), ScannedCount=len(items))


def is_segment(number):
    return lambda call: call.asked.get("Segment") == number


def never_moves(call, answer):
    last = answer["Items"][-1] if answer["Items"] else ITEMS[0]
    answer["LastEvaluatedKey"] = call.asked.get("ExclusiveStartKey") or {k: last[k] for k in ("pk", "sk")}


def goes_round(call, _):
    """Three keys in a circle."""
    if call.operation != "Scan":
        return False
    keys = [{k: item[k] for k in ("pk", "sk")} for item in ITEMS[:3]]
    start = call.asked.get("ExclusiveStartKey")
    call.say({"Items": [], "Count": 0, "ScannedCount": 0, "LastEvaluatedKey": keys[(keys.index(start) + 1) % 3 if start else 0]})
    return True


def overlaps(call, answer):
    counted(answer, answer["Items"] + SEEN[:5])


def overlaps_changed(call, answer):
    """What another segment has, too, as it was before somebody wrote to it: no two of the items read are equal."""
    counted(answer, answer["Items"] + [{**item, "n": {"N": "-1"}} for item in SEEN[:5]])


def leaves_a_stranger(call, answer):
    (table, puts), = call.asked["RequestItems"].items()
    answer["UnprocessedItems"] = {table: [{"PutRequest": {"Item": {**puts[0]["PutRequest"]["Item"], "n": {"N": "-77"}}}}]}


def drops_one(call, host):
    """The table holds fewer items than were written: one put of a batch is answered and not done. The signature is of the whole batch,
    so awsim is told to forget the item afterwards."""
    if call.operation != "BatchWriteItem":
        return False
    call.forward(host)
    (table, puts), = call.asked["RequestItems"].items()
    DYNAMODB[0].delete_item(TableName=table, Key={k: puts[0]["PutRequest"]["Item"][k] for k in ("pk", "sk")})
    return True


def changes_one(call, answer):
    if answer["Items"]:
        answer["Items"][0]["n"] = {"N": "-77"}


def wrong_crc(call):
    call.crc_is_wrong = True


def error_in_200(call):
    call.say({"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "no"})


def no_item(call, answer):
    if answer["Items"]:
        answer["Items"][0] = {"pk": {"X": "y"}}


# -- S3 ------------------------------------------------------------------------------------------------------------


def stores_nothing(call, host):
    if call.operation != "PutObject" or "/data/" not in call.key:
        return False
    call.status, call.answer = 200, b""
    call.answer_headers = [("ETag", '"d41d8cd98f00b204e9800998ecf8427e"'), ("x-amz-request-id", "LIE"), ("x-amz-server-side-encryption", "AES256")]
    return True


def in_data(call):
    return "/data/" in call.key


def another_size(change):
    def bend(call):
        length = next(int(value) for name, value in call.answer_headers if name.lower() == "content-length")
        call.set_header("Content-Length", length + change)
    return bend


def another_etag(call):
    call.set_header("ETag", '"00000000000000000000000000000000"')


def flips(call):
    call.answer = call.answer[:-20] + bytes([call.answer[-20] ^ 1]) + call.answer[-19:]


def shortens(call):
    call.answer = call.answer[:-7]


def another_range(call):
    call.set_header("Content-Range", "bytes 5-9/10")


def s3_error_in_200(call):
    call.say(b"<?xml version=\"1.0\"?><Error><Code>InternalError</Code><Message>no</Message></Error>")


def in_the_clear(call):
    call.answer_headers = [(n, v) for n, v in call.answer_headers if n.lower() != "x-amz-server-side-encryption"]


def hides(call):
    """The listing lacks a data file that is there: the read-back asks for it by name, and what is listed must be all there is."""
    rows = call.answer.split(b"<Contents>")
    call.answer = b"<Contents>".join(row for row in rows if b"/data/" not in row or b"</ListBucketResult>" in row)


def never_ends(call, host):
    """Every page says that there is another, and the next one is the same."""
    if call.operation != "ListObjectsV2":
        return False
    if "continuation-token" not in call.path:
        call.forward(host)
        PAGE[:] = [call.answer.replace(b"<IsTruncated>false</IsTruncated>", b"<IsTruncated>true</IsTruncated>"
                                       b"<NextContinuationToken>again</NextContinuationToken>")]
    call.say(PAGE[0])
    return True


# -- a table that is never ready -----------------------------------------------------------------------------------


def creating_for_ever(call, host):
    """It is CREATING, and AWS's clock goes on by ten minutes with each look: the job's patience is an hour by that clock."""
    if call.operation != "DescribeTable" or not call.asked["TableName"].startswith("Back"):
        return False
    call.forward(host)
    if call.status == 200:
        LAST.update(call.said["Table"])
    if LAST:
        CLOCK.append(1)
        call.say({"Table": {**LAST, "TableStatus": "CREATING"}})
        call.set_header("Date", email.utils.formatdate(time.time() + 600 * len(CLOCK), usegmt=True))
    return bool(LAST)


STARTING = threading.Lock()
SEEN, CLOCK, LAST, PAGE, DYNAMODB = [], [], {}, [], []

# lie: (when it is told, the lie, the codes that name it; a code at the end of "then" is what the next job finds)
LIES = {
    "a Count that is not that of the Items": ("backup", of_json("Scan", lambda c, a: a.update(Count=a["Count"] + 1)), {"AWS_LIED"}),
    "a ScannedCount below Count": ("backup", of_json("Scan", lambda c, a: a.update(ScannedCount=0), is_segment(0)), {"AWS_LIED"}),
    "a page without Items": ("backup", of_json("Scan", lambda c, a: a.pop("Items")), {"AWS_LIED"}),
    "an item that is none": ("backup", of_json("Scan", no_item), {"AWS_LIED"}),
    "a page that is no JSON": ("backup", of("Scan", lambda c: c.say(b'{"Items":[')), {"AWS_LIED"}),
    "a LastEvaluatedKey that does not move": ("backup", of_json("Scan", never_moves), {"AWS_LIED"}),
    "keys in a circle": ("backup", goes_round, {"AWS_LIED"}),
    "a wrong crc": ("backup", of("Scan", wrong_crc), {"AWS_LIED"}),
    "a 200 with an error": ("backup", of("Scan", error_in_200), {"AWS_LIED", "AWS_UNAVAILABLE"}),
    "segments that overlap": ("backup", of_json("Scan", overlaps, is_segment(1)), {"AWS_LIED"}),
    "segments that overlap in an item that changed": ("backup, then restore", of_json("Scan", overlaps_changed, is_segment(1)), {"MISMATCH"}),
    "the same, proven": ("backup, then prove", of_json("Scan", overlaps_changed, is_segment(1)), {"MISMATCH"}),
    "the same, compared": ("backup, then compare", of_json("Scan", overlaps_changed, is_segment(1)), {"MISMATCH"}),
    "segments that leave a gap": ("backup, then compare", of_json("Scan", lambda c, a: counted(a, a["Items"][1:]), is_segment(1)), {"MISMATCH"}),
    "an item that is another": ("backup, then compare", of_json("Scan", changes_one, is_segment(1)), {"MISMATCH"}),
    "a table that is described without keys": ("backup", of_json("DescribeTable", lambda c, a: a["Table"].pop("KeySchema")), {"AWS_LIED"}),
    "a put that answers 200 and stores nothing": ("backup", stores_nothing, {"RECOVERY_POINT_DAMAGED", "AWS_LIED"}),
    "an object stored in the clear": ("backup", of("PutObject", in_the_clear), {"AWS_LIED"}),
    "a HEAD that says more than the GET gives": ("backup", of("HeadObject", another_size(1), in_data), {"RECOVERY_POINT_DAMAGED", "AWS_LIED"}),
    "a HEAD that says less than the GET gives": ("backup", of("HeadObject", another_size(-1), in_data), {"RECOVERY_POINT_DAMAGED", "AWS_LIED"}),
    "a HEAD of another version": ("backup", of("HeadObject", another_etag, in_data), {"RECOVERY_POINT_DAMAGED", "SOURCE_UNREADABLE"}),
    "a GET with a bit flipped": ("backup", of("GetObject", flips, in_data), {"RECOVERY_POINT_DAMAGED", "AWS_LIED"}),
    "a GET that gives less": ("backup", of("GetObject", shortens, in_data), {"RECOVERY_POINT_DAMAGED", "AWS_LIED"}),
    "a GET of another range": ("backup", of("GetObject", another_range, in_data), {"AWS_LIED"}),
    "a GET that is an error in a 200": ("backup", of("GetObject", s3_error_in_200, in_data), {"AWS_LIED", "AWS_UNAVAILABLE"}),
    "a listing that is an error in a 200": ("backup", of("ListObjectsV2", s3_error_in_200), {"AWS_LIED", "AWS_UNAVAILABLE"}),
    "a listing that does not end": ("backup", never_ends, {"AWS_LIED"}),
    "a listing that lacks a file": ("validate", of("ListObjectsV2", hides), {"RECOVERY_POINT_DAMAGED"}),
    "a table that holds fewer items than written": ("restore", drops_one, {"MISMATCH"}),
    "a proof whose segments overlap": ("restore", of_json("Scan", overlaps), {"MISMATCH"}),
    "a proof that leaves a gap": ("restore", of_json("Scan", lambda c, a: counted(a, a["Items"][1:])), {"MISMATCH"}),
    "a proof whose keys go in a circle": ("restore", goes_round, {"AWS_LIED"}),
    "unprocessed items that were never sent": ("restore", of_json("BatchWriteItem", leaves_a_stranger), {"AWS_LIED"}),
    "a write that does not say what it left": ("restore", of_json("BatchWriteItem", lambda c, a: a.pop("UnprocessedItems")), {"AWS_LIED"}),
    "a write that answers with an error in a 200": ("restore", of("BatchWriteItem", error_in_200), {"AWS_LIED", "AWS_UNAVAILABLE"}),
    "a table that is CREATING for ever": ("restore", creating_for_ever, {"TABLE_NOT_ACTIVE"}),
}


class Told:
    """A lie of its own to a server of its own."""

    def __init__(self, aws, name):
        self.when, self.lie, self.codes = LIES[name]
        self.target = f"Back-{list(LIES).index(name)}"
        self.liar = Liar(aws.url)
        root = f"s3://{BUCKET}/{self.target}"
        with STARTING:  # two at once may find the same free port
            self.server = Server(self.liar.url, root=root, uri_roots=[root + "/foreign"], threads=4).start()
        self.told = 0

    def run(self):
        """Tells the lie where it belongs; -> the job that must know of it"""
        try:
            first, _, then = self.when.partition(", then ")
            spec = {"table": "Sales", "segments": 2}
            if first != "backup":
                point = self.server.run("backup.table", spec)["result"]["recovery_point"]
                self.job = getattr(self, first)(point, self.lied_to)
            else:
                self.job = self.lied_to("backup.table", spec)
            if then:
                self.job = getattr(self, then)(self.job["result"]["recovery_point"], self.wait)
            self.points = self.server.get("/v1/recovery-points")["items"]
        finally:
            self.liar.tell(None)
            end(self.server)
            self.liar.stop()
        return self

    def wait(self, kind, spec, plan_hash=None):
        body = {"kind": kind, "environment": "production", "spec": spec, **({"plan_hash": plan_hash} if plan_hash else {})}
        status, _, job = self.server.call("POST", "/v1/jobs", body)
        assert status == 202, job
        return self.server.wait(job, want=None, seconds=240)

    def lied_to(self, *args):
        self.liar.tell(self.lie)
        job = self.wait(*args)
        self.told = self.liar.told
        self.liar.tell(None)
        return job

    def restore(self, point, run):
        spec = {"source": {"recovery_point": point}, "target_table": self.target}
        status, _, plan = self.server.call("POST", "/v1/plans", {"kind": "restore.table", "environment": "production", "spec": spec})
        assert status == 200, plan
        return run("restore.table", spec, plan["plan_hash"])

    def compare(self, point, run):
        return run("validate.table", {"table": "Sales", "against": {"recovery_point": point}})

    def prove(self, point, run):
        return run("validate.backup", {"source": {"recovery_point": point}, "prove": True})

    def validate(self, point, run):
        return run("validate.backup", {"source": {"recovery_point": point}})


@pytest.fixture(scope="module")
def told(stand_ins):
    """name: a future of what came of the lie"""
    aws = stand_ins(Awsim)
    aws.reset()
    dynamodb = aws.client("dynamodb")
    aws.client("s3").create_bucket(Bucket=BUCKET)
    make_table(dynamodb, "Sales")
    put_items(dynamodb, "Sales", ITEMS)
    SEEN[:] = items_of(dynamodb, "Sales")[:20]
    DYNAMODB.append(dynamodb)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        yield {name: pool.submit(lambda name=name: Told(aws, name).run()) for name in LIES}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_named(told, name, record_property):
    found = told[name].result()
    job = found.job
    record_property("told", f"lie: {name:<46} in {found.when:<22} {job['state']:<10} {(job.get('error') or {}).get('code', '')}")
    assert found.told, "the lie was never told"
    assert job["state"] == "failed", json.dumps(job, indent=1)
    assert job["error"]["code"] in found.codes, job["error"]
    if found.when == "backup":
        damaged = job["error"]["code"] == "RECOVERY_POINT_DAMAGED"
        assert [p["status"] for p in found.points] in ([], ["damaged" if damaged else "failed"]), found.points
