import time
from dataclasses import replace

import numpy as np
import pytest
from tests.sandbox.levels import BOTH

from hubel.sandbox.cells import SCORED, CellLost, CellRefused, CellSession
from hubel.sandbox.levels import jail_for
from hubel.sandbox.limits import MIB, Limits

SMALL = Limits(wall=8, cpu=6, memory=700 * MIB, tmpfs=16 * MIB, inodes=400, processes=40)


@pytest.fixture(scope="module", params=BOTH)
def cells(request):
    with CellSession(jail_for(request.param, SMALL)) as session:
        yield session


TOOL = {"name": "double", "doc": "Twice a number.", "parameters": {"properties": {"x": {}}}}


def double(tool, args):
    if args["x"] < 0:
        raise CellRefused("x must not be negative.")
    return {"values": {"y": 2 * args["x"]}, "artifacts": [], "measures": {"y": "twice"}}


def test_what_code_prints_computes_and_draws_comes_back(cells):
    ran = cells.run(
        "import numpy as np\n"
        "print('hello')\n"
        "show(np.full((4, 6, 3), 0.5), caption='grey')\n"
        "import matplotlib.pyplot as plt\n"
        "plt.plot([1, 2])\n"
        "result = {'mean': np.arange(4).mean(), 'all': np.arange(3)}\n"
    )
    assert (ran.status, ran.why, ran.printed) == ("done", "", "hello\n")
    assert ran.value == {"mean": 1.5, "all": [0, 1, 2]}
    grey, figure = ran.shown
    assert (grey.kind, grey.caption, grey.pixels.shape) == ("picture", "grey", (4, 6, 3))
    assert np.unique(grey.pixels).tolist() == [128]
    assert figure.kind == "figure"
    assert figure.pixels.shape[2] == 3
    assert 0 < ran.seconds < 5


@pytest.mark.parametrize("level", BOTH)
def test_a_box_for_code_that_is_scored_has_little_imported_and_lacks_nothing(level):
    code = "import sys; before = 'matplotlib' in sys.modules\n"
    code += "import matplotlib; result = [before, 'numpy' in sys.modules, matplotlib.__name__]"
    with CellSession(jail_for(level, SMALL), warm=SCORED) as lean:
        assert lean.run(code).value == [False, True, "matplotlib"]


def test_a_tool_in_a_cell_works_like_the_tool(cells):
    ran = cells.run("result = [tools.double(x=3)['y'], tools.double.__doc__]", double, [TOOL])
    assert ran.value == [6, "Twice a number."]


def test_a_refused_call_is_an_exception_that_code_may_catch(cells):
    code = "try:\n    tools.double(x=-1)\nexcept ToolError as error:\n    result = str(error)\n"
    assert cells.run(code, double, [TOOL]).value == "x must not be negative."
    ran = cells.run("tools.double(x=-1)", double, [TOOL])
    assert (ran.status, ran.why) == ("error", "ToolError: x must not be negative.")


def test_unknown_tools_are_named(cells):
    ran = cells.run("tools.dubble(x=1)", double, [TOOL])
    assert ran.why == "AttributeError: there is no tool 'dubble'; there are: double"


def test_an_exception_comes_back_with_the_lines_of_the_code_alone(cells):
    ran = cells.run("def f(x):\n    return 1 / x\n\nf(0)\n")
    assert ran.status == "error"
    assert ran.why == "ZeroDivisionError: division by zero"
    assert "return 1 / x" in ran.traceback
    assert "cell.py" not in ran.traceback
    assert cells.run("x = (").why.startswith("SyntaxError")


def test_pictures_among_the_arguments_are_kept(cells):
    kept = []

    def keep(pixels):
        kept.append(pixels)
        return f"id{len(kept)}"

    asked = []

    def call(tool, args):
        asked.append(args)
        return {"values": {}, "artifacts": [], "measures": {}}

    code = (
        "from PIL import Image\n"
        "red = Image.new('RGB', (5, 4), 'red')\n"
        "tools.double(stimuli=[red, keep(red.rotate(90))], x=1)\n"
    )
    assert cells.run(code, call, [TOOL], keep).status == "done"
    assert asked == [{"stimuli": ["id2", "id1"], "x": 1}]
    assert [k[0, 0].tolist() for k in kept] == [[255, 0, 0], [255, 0, 0]]


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("result = float('nan')", "ValueError: a result holds a number that is not finite"),
        ("result = 'x' * 3_000_000", "ValueError: final: a message of"),
        ("result = object()", "TypeError: a result holds a object, which is not JSON"),
        ("show([1, 2])", "ValueError: a picture is"),
    ],
)
def test_what_cannot_come_back_is_told_to_the_code(cells, code, why):
    ran = cells.run(code)
    assert ran.status == "error"
    assert ran.why.startswith(why)


@pytest.mark.parametrize(
    ("code", "status", "why"),
    [
        ("import os; os._exit(0)", "lost", "without a last word, with exit status 0"),
        ("import os; os.kill(os.getpid(), 9)", "lost", "SIGKILL"),
        ("import ctypes; ctypes.string_at(0)", "lost", "SIGSEGV"),
        ("x = bytearray(1 << 30)\nwhile True: x[::4096] = bytes(1 << 18)", "limit", "memory"),
        ("while True: print('x' * 100_000)", "limit", "printed more than"),
    ],
)
def test_code_that_dies_or_passes_a_limit_is_named_and_the_next_runs(cells, code, status, why):
    ran = cells.run(code)
    assert (ran.status, why in ran.why) == (status, True), ran
    assert cells.run("result = 1").value == 1


def test_code_that_takes_too_long_is_ended(cells):
    begun = time.monotonic()
    ran = cells.run("import time\ntime.sleep(1000)")
    assert (ran.status, ran.why) == ("limit", "It took longer than 8 seconds.")
    assert time.monotonic() - begun < 60


def test_the_time_of_tool_calls_is_not_the_codes(cells):
    def slow(tool, args):
        time.sleep(1.5)
        return double(tool, args)

    ran = cells.run("for i in range(6): tools.double(x=i)", slow, [TOOL])
    assert ran.status == "done"
    assert ran.seconds < 6  # of the nine that the calls took


def test_an_experiment_leaves_nothing_to_the_next(cells):
    poison = (
        "import json, sys, builtins, numpy\n"
        "builtins.poison = json.poison = numpy.poison = 1\n"
        "numpy.mean = lambda x: 42\n"
        "open('left.txt', 'w').write('x')\n"
        "import subprocess\n"
        "subprocess.Popen(['sleep', '1000'], start_new_session=True)\n"
        "sys.exit()\n"
    )
    assert cells.run(poison).status == "done"
    look = (
        "import json, builtins, numpy, os, glob\n"
        "result = [hasattr(m, 'poison') for m in (builtins, json, numpy)]\n"
        "result += [float(numpy.mean([1, 2])), os.path.exists('left.txt')]\n"
        "names = glob.glob('/proc/[0-9]*/comm')\n"
        "result.append(any(open(n).read() == 'sleep\\n' for n in names))\n"
    )
    assert cells.run(look).value == [False, False, False, 1.5, False, False]


def test_code_that_only_computes_reuses_the_box(cells):
    cells.run("result = 1")
    box = cells._box.process.pid
    for _ in range(5):
        assert cells.run("result = 1").value == 1
    assert cells._box.process.pid == box


@pytest.fixture(params=BOTH)
def hasty(request):
    limits = replace(SMALL, wall=2, cpu=1, pictures=5)
    with CellSession(jail_for(request.param, limits)) as session:
        yield session


def test_a_call_may_take_longer_than_the_code(hasty):
    def slow(tool, args):
        time.sleep(3)
        return double(tool, args)

    ran = hasty.run("result = tools.double(x=2)['y']", slow, [TOOL])
    assert (ran.status, ran.value) == ("done", 4)


@pytest.mark.parametrize("level", BOTH)
def test_processor_time_has_a_limit_of_its_own(level):
    with CellSession(jail_for(level, replace(SMALL, wall=60, cpu=1))) as patient:
        ran = patient.run("while True: pass")
    assert (ran.status, ran.why) == ("limit", "It used more processor time than it may.")


def test_code_that_takes_no_for_an_answer_is_ended(hasty):
    code = "import time\nwhile True:\n    try: tools.double(x=-1)\n    except ToolError: time.sleep(.1)"
    begun = time.monotonic()
    ran = hasty.run(code, double, [TOOL])
    assert (ran.status, ran.why) == ("limit", "It took longer than 2 seconds.")
    assert time.monotonic() - begun < 60


def test_pictures_are_limited_in_number(hasty):
    code = (
        "import numpy\n"
        "dot = numpy.zeros((1, 1, 3))\n"
        "try:\n"
        "    for n in range(100): show(dot)\n"
        "except ToolError as error:\n"
        "    result = [n, str(error)]\n"
    )
    ran = hasty.run(code)
    assert ran.value[0] == len(ran.shown) == 5
    assert "too many pictures" in ran.value[1]


def test_a_box_that_died_between_experiments_is_an_error_once(hasty):
    assert hasty.run("result = 1").value == 1
    hasty._box.process.kill()
    hasty._box.channel.shutdown(2)
    with pytest.raises(CellLost):
        hasty.run("result = 1")
    assert hasty.run("result = 1").value == 1


def test_limits_are_read_from_text():
    assert Limits.parse("wall=60, memory=2GiB") == Limits(wall=60, memory=2048 * MIB)
    assert Limits.parse("") == Limits()
    for text in ("walls=1", "wall=0", "wall=x", "memory=-1", "gpu=2", "wall"):
        with pytest.raises(ValueError, match=r"limit|write"):
            Limits.parse(text)
