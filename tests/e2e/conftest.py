import contextlib
import json
import pathlib
import re

import pytest

import contract
from peers import PEERS, Peer, end
from world import Server, make_table, plain_items, put_items


LONGEST = ["test_cases.py", "test_faults.py", "test_least_privilege.py", "test_kill.py", "test_clients.py", "test_schemathesis.py",
           "test_buckets.py", "test_retry.py", "test_jobs.py", "test_bad_disk.py", "test_throttling.py"]


def pytest_collection_modifyitems(items):
    """What takes longest begins first, so that nothing long is left for one process when the others have ended."""
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


@pytest.fixture(scope="session")
def stand_ins():
    """Each program that plays AWS, started when it is first asked for."""
    running = {}

    def get(program):
        if program not in running:
            running[program] = program()
        return running[program]

    get.running = running
    yield get
    for one in running.values():
        one.stop()


@pytest.fixture(autouse=True)
def well_formed(stand_ins):
    """Whatever a test sends to awsim, AWS's published models know; what comes after the last test is seen when awsim stops."""
    yield
    wrong = [row for one in stand_ins.running.values() for row in one.wrong_requests()]
    assert wrong == [], f"AWS's models do not know these requests: {json.dumps(wrong, indent=1)}"


@pytest.fixture
def aws(stand_ins):
    aws = stand_ins(PEERS["awsim"])
    aws.reset()
    return aws


@pytest.fixture(scope="module")
def sales_for_all(stand_ins):
    """awsim with a table, for all tests of a file."""
    aws = stand_ins(PEERS["awsim"])
    aws.reset()
    make_table(aws.client("dynamodb"), "Sales")
    put_items(aws.client("dynamodb"), "Sales", plain_items(20))
    return aws


@pytest.fixture
def new_server():
    """Makes servers, which are not started; all end with the test, whatever becomes of it."""
    with contextlib.ExitStack() as made:
        def make(*args, **options):
            server = Server(*args, **options)
            made.callback(end, server)
            return server

        yield make


@pytest.fixture
def server(aws, new_server):
    return new_server(aws.url).start()


@pytest.fixture(scope="module", params=PEERS)
def peer(request, stand_ins):
    peer = Peer(request.param, stand_ins(PEERS[request.param]))
    yield peer
    peer.stop()


# -- what the whole run must have done: each case on each peer, each operation of openapi.yaml -------------------------

CELL = re.compile(r"test_cases\.py::test_case\[(.*?)-(.*)\]$")  # peer, case; by name, which is all that comes back from another process
MATRIX = {}  # (peer, case): what became of it, None until it has run
FILES = set()  # that were collected
TOLD = []


def pytest_collection_finish(session):
    expect(item.nodeid for item in session.items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(ids):
    expect(ids)


def expect(ids):
    for one in ids:
        FILES.add(one.partition("::")[0].rpartition("/")[2])
        found = CELL.search(one)
        if found:
            MATRIX.setdefault(found.groups())


def pytest_runtest_logreport(report):
    properties, found = dict(report.user_properties), CELL.search(report.nodeid)
    if found and report.failed:
        MATRIX[found.groups()] = "FAILED"
    elif found and report.when == "call" and report.passed:
        MATRIX[found.groups()] = properties.get("cell") or "ok"
    if report.when == "call" and "told" in properties:
        TOLD.append(properties["told"])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    contract.exercised.update(getattr(node, "workeroutput", {}).get("exercised", ()))


def is_whole(config):
    every = {file.name for file in pathlib.Path(__file__).parent.glob("test_*.py")}
    return FILES == every and not config.option.keyword and not config.option.markexpr


def never_exercised(config):
    return sorted(contract.OPERATIONS - contract.exercised) if is_whole(config) else []


def pytest_sessionfinish(session, exitstatus):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["exercised"] = sorted(contract.exercised)
    elif exitstatus == 0 and not session.config.option.collectonly and (None in MATRIX.values() or never_exercised(session.config)):
        session.exitstatus = 1


def pytest_terminal_summary(terminalreporter):
    peers, cases = (list(dict.fromkeys(cell[i] for cell in MATRIX)) for i in (0, 1))
    config = terminalreporter.config
    if config.option.collectonly or hasattr(config, "workerinput"):
        return
    if MATRIX:
        width = max(map(len, cases))
        terminalreporter.section("peer by case")
        terminalreporter.line(" " * width + "".join(f"  {peer:<16}" for peer in peers))
        for case in cases:
            terminalreporter.line(f"{case:<{width}}" + "".join(f"  {MATRIX.get((peer, case)) or 'EMPTY':<16}" for peer in peers))
    for line in TOLD:
        terminalreporter.line(line)
    if is_whole(config):
        missing = never_exercised(config)
        terminalreporter.line(f"openapi.yaml: {len(contract.OPERATIONS)} operations, never exercised: {', '.join(missing) or 'none'}")
