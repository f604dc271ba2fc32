"""The same call by botocore or by the AWS CLI, and what came of it in a form that can be compared."""

import contextlib
import io
import json
import logging
import os
import re
from functools import cache

import boto3
import jmespath
from awscli.clidriver import create_clidriver
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
COMMANDS = {"s3": "s3api"}
REFUSED = re.compile(r"An error occurred \(([\w.]+)\) when calling")


@cache
def _client(url, service):
    config = Config(retries={"total_max_attempts": 1}, parameter_validation=False, s3={"addressing_style": "path"})
    names = ("aws_access_key_id", "aws_secret_access_key", "region_name")
    return boto3.client(service, endpoint_url=url, config=config, **dict(zip(names, KEYS.values())))


class Boto:
    def __init__(self, url):
        self.url = url

    def call(self, service, operation, given):
        try:
            answer = getattr(_client(self.url, service), xform_name(operation))(**given)
        except ClientError as fault:
            return {"refused": fault.response["Error"]["Code"]}
        answer.pop("ResponseMetadata")
        return json.loads(json.dumps(answer, default=str))


class Cli:
    """In this process: another one would take a second for each call."""

    driver = None

    def __init__(self, url, folder):
        self.url, self.folder = url, folder
        (folder / "config").write_text("[default]\nparameter_validation = false\nmax_attempts = 1\ns3 =\n    addressing_style = path\n")

    def call(self, service, operation, given):
        environment = {**KEYS, "AWS_CONFIG_FILE": str(self.folder / "config")}
        command = [COMMANDS.get(service, service), xform_name(operation, "-"), "--endpoint-url", self.url, "--output", "json", "--no-paginate"]
        given = dict(given)
        if "Body" in given:  # which the CLI takes from a file
            (self.folder / "body").write_bytes(given.pop("Body"))
            command += ["--body", str(self.folder / "body")]
        command += ["--cli-input-json", json.dumps(given)]
        out, err, before = io.StringIO(), io.StringIO(), dict(os.environ)
        os.environ.update(environment)
        Cli.driver = Cli.driver or create_clidriver()
        try:
            logging.disable(logging.CRITICAL)
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = Cli.driver.main(command)
        finally:
            logging.disable(logging.NOTSET)
            os.environ.clear()
            os.environ.update(before)
        refused = REFUSED.search(err.getvalue())
        if refused:
            return {"refused": refused[1]}
        assert code == 0, err.getvalue()
        return json.loads(out.getvalue() or "{}")


class Caller:
    """What a case is given: call("CreateTable", "TableDescription.TableStatus", TableName=..)."""

    def __init__(self, client, service):
        self.client, self.service = client, service

    def __call__(self, operation, shown=None, service=None, **given):
        answer = self.client.call(service or self.service, operation, given)
        if "refused" in answer or shown is None:
            return answer
        return jmespath.search(shown, answer)
