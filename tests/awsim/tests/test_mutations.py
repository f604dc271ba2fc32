"""Each truth of mutations.py stands in the source, and has a file of tests to die in."""

from conftest import HERE


def test_no_truth_is_out_of_date():
    import mutations

    stale = {
        name
        for name, (file, true, false, suite, _) in mutations.TRUTHS.items()
        if true not in (HERE / "sim" / file).read_text() or true == false or not (HERE / "tests" / f"test_{suite}.py").exists()
    }
    assert stale == set()
