import shutil

import pytest

from world import Awsim, Server


@pytest.fixture(scope="session")
def aws_process():
    aws = Awsim()
    yield aws
    aws.stop()


@pytest.fixture
def aws(aws_process):
    aws_process.reset()
    return aws_process


@pytest.fixture
def server(aws):
    server = Server(aws.url).start()
    yield server
    code = server.stop()
    log = (server.dir / "log").read_text()
    shutil.rmtree(server.dir)
    assert code == 0, f"the server ended with {code}: {log[-3000:]}"
