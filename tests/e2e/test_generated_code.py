"""A stage that writes a source of the project: later stages run what it wrote, and say so."""

PIPELINE = """
    @stage(deps=["limit.txt"], outs=["made.txt"])
    def make():
        limit = open("limit.txt").read()
        with open("made.py", "w") as f:
            f.write(f"LIMIT = {limit}\\n")
        with open("made.txt", "w") as f:
            f.write(limit)

    @stage(deps=["made.txt"], outs=["used.txt"])
    def use():
        from made import LIMIT
        with open("used.txt", "w") as f:
            f.write(str(LIMIT))

    @stage(deps=["used.txt"], outs=["end.txt"])
    def end():
        with open("end.txt", "w") as f:
            f.write("end")
"""


def test_source_that_a_stage_writes_is_part_of_the_code_of_later_ones(stages):
    project = stages(PIPELINE)
    project.write("limit.txt", "1")
    assert set(project.pivot("repro").statuses.values()) == {"ran"}
    first = project.lock("use").read_text()
    assert '"made:LIMIT"' in first
    assert set(project.pivot("status").statuses.values()) == {"unchanged"}
    project.write("limit.txt", "2")
    assert project.pivot("repro", "-j", "2").statuses["use"] == "ran"
    assert project.read("used.txt") == "2"
    assert '"made:LIMIT"' in project.lock("use").read_text()
    assert project.lock("use").read_text() != first
    assert set(project.pivot("repro").statuses.values()) == {"unchanged"}
    project.write("made.py", "LIMIT = 3\n")
    assert project.pivot("status").statuses["use"] == "stale"
