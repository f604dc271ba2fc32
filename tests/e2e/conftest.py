import pytest

from peers import PEERS, Peer, end
from world import Server

MATRIX = {}  # (case, peer): what became of it


@pytest.fixture(scope="session")
def stand_ins():
    """Each program that plays AWS, started when it is first asked for."""
    running = {}

    def get(program):
        if program not in running:
            running[program] = program()
        return running[program]

    yield get
    for one in running.values():
        one.stop()


@pytest.fixture
def aws(stand_ins):
    aws = stand_ins(PEERS["awsim"])
    aws.reset()
    return aws


@pytest.fixture
def server(aws):
    server = Server(aws.url).start()
    yield server
    end(server)


@pytest.fixture(scope="module", params=PEERS)
def peer(request, stand_ins):
    peer = Peer(request.param, stand_ins(PEERS[request.param]))
    yield peer
    peer.stop()


# -- the matrix: each case on each peer, none left out -------------------------------------------------------------


def cell_of(item):
    params = getattr(item, "callspec", None) and item.callspec.params
    return (params["case"], params["peer"]) if params and {"case", "peer"} <= set(params) else None


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    cell = cell_of(item)
    if cell and report.failed:
        MATRIX[cell] = "FAILED"
    elif cell and report.when == "call" and report.passed:
        MATRIX[cell] = dict(report.user_properties).get("cell") or "ok"


def empty_cells(session):
    return [cell for cell in map(cell_of, session.items) if cell and cell not in MATRIX]


def pytest_sessionfinish(session, exitstatus):
    if exitstatus == 0 and not session.config.option.collectonly and empty_cells(session):
        session.exitstatus = 1


def pytest_terminal_summary(terminalreporter):
    cells = [cell for cell in map(cell_of, terminalreporter._session.items) if cell]
    cases, peers = list(dict.fromkeys(c for c, _ in cells)), list(dict.fromkeys(p for _, p in cells))
    if not cells or terminalreporter.config.option.collectonly:
        return
    width = max(len(case) for case in cases)
    terminalreporter.section("peer by case")
    terminalreporter.line(" " * width + "".join(f"  {peer:<18}" for peer in peers))
    for case in cases:
        terminalreporter.line(f"{case:<{width}}" + "".join(f"  {MATRIX.get((case, peer), 'EMPTY'):<18}" for peer in peers))
