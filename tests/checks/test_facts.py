import pytest

from debug_gym.checks.facts import facts, kind_of
from debug_gym.task import FilesSource, Task

GOLD = "--- a/m.py\n+++ b/m.py\n@@ -1 +1 @@\n-    if x < 1:\n+    if x <= 1:\n"


def task(gold=GOLD, **metadata):
    return Task(
        id="t", problem="p", source=FilesSource(files={"m.py": ""}), gold_patch=gold, metadata=metadata
    )


def test_what_metadata_tell_of_a_task():
    mined = task(origin="shop", date="2021-03-04T00:00:00Z", category="release-pairs")
    assert facts(mined) == (2, "shop", "2021", "condition")
    assert facts(task(category="time zones", date="unknown")) == (2, "", "", "time zones")
    assert facts(task(package="a/b", category="a/b")) == (2, "a/b", "", "condition")
    assert facts(task(gold=None)) == (0, "", "", "")


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        (["    except KeyError:", "    if a < b:"], "exception"),
        (["    def read(self, limit=None):"], "signature"),
        (['    text = re.sub("a", "b", text)'], "pattern"),
        (["    if a and b:", "    run(a)"], "condition"),
        (["    for item in items:"], "loop"),
        (["    return strip(text)"], "call"),
        (["    # if not", "    limit = 3"], "value"),
        (["    # why", ""], ""),
    ],
)
def test_kinds_of_bugs_are_told_by_the_lines_of_the_fix(lines, kind):
    assert kind_of(lines) == kind
