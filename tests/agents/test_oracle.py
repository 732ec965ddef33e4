import subprocess

import pytest

from debug_gym.agents.oracle import OracleAgent, apply_command
from debug_gym.episode import Observation
from debug_gym.errors import ConfigError, TaskError

PATCH = """\
--- a/calc.py
+++ b/calc.py
@@ -1,2 +1,2 @@
 def add(a, b):
-    return a - b
+    return a + b  # $HOME `pwd` 'x' "y" \\
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
        ["/bin/bash", "-c", apply_command(patch)], cwd=folder, env=env, capture_output=True, text=True, check=False
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


def test_without_git_patch_does_it(tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "patch").symlink_to("/usr/bin/patch")
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    result = apply(workspace, PATCH, path=str(tools))
    assert result.returncode == 0, result.stderr
    assert "a + b" in (workspace / "calc.py").read_text()


def test_a_patch_that_does_not_apply_fails(tmp_path):
    assert apply(tmp_path, PATCH.replace("a - b", "a * b")).returncode != 0
