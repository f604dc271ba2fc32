"""The check that conftest.py makes after each test notices what it is there for."""


def test_a_request_that_aws_does_not_know_is_noticed(aws):
    aws.client("lambda").list_event_source_mappings(MaxItems=0)
    (row,) = aws.wrong_requests()
    assert (row["operation"], row["wrong"]) == ("ListEventSourceMappings", ["MaxItems: 0 is not within 1..10000"])
    aws.client("lambda").list_event_source_mappings(MaxItems=1)
    assert aws.wrong_requests() == []
