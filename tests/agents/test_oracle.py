import shutil
import subprocess

import pytest

from debug_gym.agents.oracle import OracleAgent, apply_command
from debug_gym.episode import Observation
from debug_gym.errors import ConfigError, TaskError

PATCH = """\
A message above the diff may hold anything.
END_OF_PATCH_0
diff --git a/calc.py b/calc.py
--- a/calc.py
+++ b/calc.py
@@ -1,2 +1,2 @@
 def add(a, b):
-    return a - b
+    return a + b  # $HOME `pwd` 'x' "y" \\
diff --git a/new/END.txt b/new/END.txt
new file mode 100644
--- /dev/null
+++ b/new/END.txt
@@ -0,0 +1,3 @@
+END_OF_PATCH_0
+$(touch pwned)
+
"""
BROKEN = "def add(a, b):\n    return a - b\n"


def calls_of(agent, briefing):
    agent.start(briefing)
    seen = []
    while (decision := agent.act(Observation(text="ok"))) is not None:
        seen.append(decision.call)
    return seen


def apply(folder, patch, path=None):
    (folder / "calc.py").write_text(BROKEN)
    env = {"PATH": path or "/usr/bin:/bin", "HOME": str(folder)}
    return subprocess.run(
        ["/bin/bash", "-c", apply_command(patch)],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_applies_runs_the_tests_and_submits(brief):
    calls = calls_of(OracleAgent(), brief(gold_patch=PATCH))
    assert [call.name for call in calls] == ["bash", "eval", "submit"]
    assert calls[0].arguments == {"command": apply_command(PATCH)}


def test_it_calls_only_what_is_offered(brief):
    assert [call.name for call in calls_of(OracleAgent(), brief(["bash"], gold_patch=PATCH))] == ["bash"]


def test_it_can_play_a_second_episode(brief):
    agent = OracleAgent()
    assert calls_of(agent, brief(gold_patch=PATCH)) == calls_of(agent, brief(gold_patch=PATCH))


@pytest.mark.parametrize(
    "failed", [Observation(text="hunk 1", data={"exit_code": 1}), Observation(text="hunk 1", error=True)]
)
def test_a_patch_that_did_not_apply_is_said(brief, failed):
    agent = OracleAgent()
    agent.start(brief(gold_patch=PATCH))
    agent.act(Observation(text="go", data={"exit_code": 1}))
    with pytest.raises(TaskError, match="gold patch of sum does not apply: hunk 1"):
        agent.act(failed)


def test_tests_that_fail_do_not_stop_it(brief):
    agent = OracleAgent()
    agent.start(brief(gold_patch=PATCH))
    for text in ("go", "applied"):
        agent.act(Observation(text=text))
    assert agent.act(Observation(text="1 failed", data={"exit_code": 1})).call.name == "submit"


@pytest.mark.parametrize("patch", [None, ""])
def test_no_gold_patch_is_said(brief, patch):
    with pytest.raises(TaskError, match="sum has no gold patch"):
        OracleAgent().start(brief(gold_patch=patch))


def test_no_bash_is_said(brief):
    with pytest.raises(ConfigError, match="needs bash"):
        OracleAgent().start(brief(["view"], gold_patch=PATCH))


@pytest.mark.parametrize("patch", [PATCH, PATCH.removesuffix("\n+\n") + "\n"])
def test_the_patch_arrives_as_it_is(tmp_path, patch):
    if patch != PATCH:
        patch = patch.replace("+1,3", "+1,2")
    result = apply(tmp_path, patch)
    assert result.returncode == 0, result.stderr
    assert "return a + b  # $HOME `pwd` 'x' \"y\" \\\n" in (tmp_path / "calc.py").read_text()
    assert (tmp_path / "new/END.txt").read_text().startswith("END_OF_PATCH_0\n$(touch pwned)\n")
    assert not (tmp_path / "pwned").exists()


def test_a_workspace_inside_another_repository(tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    inner = tmp_path / "inner"
    inner.mkdir()
    assert apply(inner, PATCH).returncode == 0
    assert "a + b" in (inner / "calc.py").read_text()


@pytest.mark.skipif(shutil.which("patch") is None, reason="there is no patch on this machine")
def test_without_git_patch_does_it(tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "patch").symlink_to(shutil.which("patch"))
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    result = apply(workspace, PATCH, path=str(tools))
    assert result.returncode == 0, result.stderr
    assert "a + b" in (workspace / "calc.py").read_text()


def test_a_patch_that_does_not_apply_fails(tmp_path):
    assert apply(tmp_path, PATCH.replace("a - b", "a * b")).returncode != 0
