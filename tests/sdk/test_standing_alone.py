"""It needs nothing but Python, and brings nothing along that takes time."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[2]
SLOW = ("asyncio", "http.client", "ssl", "urllib.request", "multiprocessing", "socket")
LOOK = f"""
import sys
before = set(sys.modules)
sys.path.insert(0, {str(ROOT / "sdk")!r})
import threadline_agent
with threadline_agent.agent_task("a", "b") as task:
    task.checkpoint("Alone")
new = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(sorted(new - sys.stdlib_module_names - {{"threadline_agent"}}))
print(sorted(set({SLOW!r}) & set(sys.modules)))
"""


def test_it_needs_nothing_but_python_and_imports_nothing_slow() -> None:
    """Without site-packages there is nothing of Threadline's, nor of anybody else's."""
    found = subprocess.run([sys.executable, "-I", "-S", "-c", LOOK], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines() == ["[]", "[]"]


def test_it_is_a_distribution_of_its_own(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT / "sdk", check=True, capture_output=True)
    (wheel,) = tmp_path.glob("threadline_agent-*.whl")
    look = "import sys; sys.path.insert(0, sys.argv[1]); import threadline_agent as it; print(it.__file__)"
    command = [sys.executable, "-I", "-S", "-c", look, str(wheel)]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.startswith(str(wheel))
    with ZipFile(wheel) as held:
        assert "threadline_agent/py.typed" in held.namelist()
