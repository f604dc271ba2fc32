"""The runs of a plan's rules, each at its time of the simulated clock."""

from . import documents, jobs, selections


def arm(store, plan):
    """Plans the next run of each rule of the version that is current now."""
    for rule in plan.current.document["Rules"]:
        at = documents.schedule(rule).after(store.now)
        if at is not None:
            store.plan(at, _run, plan, rule["RuleId"])


def _run(store, at, plan, rule_id):
    """One run of one rule: a job for each resource that is selected at this time."""
    rule = plan.rule(rule_id)
    if rule is None:
        return
    plan.last_execution = at
    for selection in list(plan.selections.values()):
        for arn in selections.resources(store, plan.place, selection):
            jobs.scheduled(store, at, plan, rule, selection, arn)
    following = documents.schedule(rule).after(at)
    if following is not None:
        store.plan(following, _run, plan, rule_id)
