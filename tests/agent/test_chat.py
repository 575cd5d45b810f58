import base64
import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.agent.chat_server import ChatServer, Reply
from tests.agent.terminal import Terminal

from hubel.agent.chat.meaning import meaning_of
from hubel.agent.chat.pictures import Pictures, iterm2, kitty, sixel, strip, way_of
from hubel.agent.display import Display, SafeConsole
from hubel.agent.ledger import Ledger
from hubel.agent.planner import Call, Claim, Step

TINY = f"file:{Path(__file__).parents[1] / 'tiny.py'}:make"
WORDS = [sys.executable, "-m", "hubel", "chat", "--model", TINY, "--data", "scenes:60"]
EVIL = "\x1b]0;own\x07\x1b[2J\x9b31mboo\x1b[31m\x07\u202e[bold]x[/]"
RED = {"terms": [{"weight": 1.0, "having": ["red object"]}]}
LOOK = {"tool": "exemplars", "args": {"unit": "blocks.0:0", "k": 2}}
CONCLUDES = {"conclusion": {"text": "It likes red things.", "form": RED, "evidence": [2]}}


def script(folder, *steps):
    path = folder / "script.json"
    path.write_text(json.dumps(steps))
    return ["--planner", f"scripted:{path}"]


def settings(home):
    return {"HUBEL_HOME": str(home), "HUBEL_PICTURES": ""}


def piped(home, lines, *words):
    return subprocess.run(
        [*WORDS, *words], input="\n".join(lines).encode(), capture_output=True, check=False,
        env={**os.environ, **settings(home)},
    )  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def talk(home):
    """A conversation through a pipe, with a planner that follows a script."""
    claim = {"name": "h1", "claim": "It responds to red.", "form": RED}
    planned = script(home, {"thought": "Look.", "hypotheses": [claim], "calls": [LOOK]}, CONCLUDES)
    lines = [
        "what does this unit do?", "what is in this model?", "/unit blocks.0:77",
        "What does blocks.0:0 respond to?", "what did you find?",
        "why did you believe that at step 1?", "/why 9", "why did you stop?", "/look #2",
        "/bugdet", "/budget calls=many", "/budget calls=7", "/planner stdio", "/data /nowhere",
        "/studies", "/show", "/report", "/cancel", "which units like red?", "which units like zebras?",
        "/help", "/tools",
        "/units blocks.1", "/unit", "/resume 1", "\udcff\x1b[2J/quit", "/quit", "/never",
    ]  # fmt: skip
    told = [line.encode(errors="surrogateescape").decode(errors="replace") for line in lines]
    done = piped(home, told, *planned)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def said(talk, line):
    """What was answered to a line."""
    after = talk[talk.index(f"> {line}\n") + len(line) + 3 :]
    return re.split(r"^\S+ > ", after, maxsplit=1, flags=re.M)[0].strip()


def test_a_question_becomes_a_study_that_is_watched(home, talk):
    shown = said(talk, "What does blocks.0:0 respond to?")
    for part in ("Study 1: blocks.0:0", "step 1  Look.", "h1: It responds to red.", "#2 exemplars",
                 "Looked at the 2 pictures", "concludes: It likes red things.", "held-out pictures", "file://"):  # fmt: skip
        assert part in shown
    with Ledger(home) as ledger:
        study = ledger.study(1)
        text, score = ledger.explanation(1).text, ledger.scores(1)["explanation"]
    assert study.question == "What does blocks.0:0 respond to?"
    assert study.finished
    assert text in shown
    assert f"{score.pearson:.2f}" in shown
    assert said(talk, "what did you find?") in shown


def test_pictures_are_linked_where_they_cannot_be_drawn(talk):
    for line in ("What does blocks.0:0 respond to?", "/look #2"):
        path = re.search(r"file://(\S+\.png)", said(talk, line))[1]
        with Image.open(path) as image:
            assert image.height == 112
            assert image.width > 200


def test_questions_about_what_was_done_are_answered_from_the_ledger(talk):
    shown = said(talk, "why did you believe that at step 1?")
    assert "Step 1 of 2, study 1: blocks.0:0" in shown
    assert "It put forward h1: It responds to red." in shown
    assert "Step 2 of 2" in said(talk, "why did you stop?")
    assert said(talk, "/why 9") == "Study 1 has no step 9: it has the steps 1 to 2"
    assert "54 units at 8 sites" in said(talk, "what is in this model?")
    assert "Hypotheses" in said(talk, "/show")
    assert "blocks.0:0" in said(talk, "/studies")


def test_units_are_ranked_by_what_they_respond_to(talk):
    ranked = said(talk, "which units like red?")
    assert "14 units were compared on 32 pairs" in ranked
    red = next(line for line in ranked.splitlines() if "blocks.0:0" in line)
    assert "falls by" in red
    assert "may be chance" not in red
    assert "blocks.0:1" not in ranked  # it is constant


def test_wrong_lines_are_answered_by_a_sentence(talk):
    assert "Which unit?" in said(talk, "what does this unit do?")
    assert "0 to 5" in said(talk, "/unit blocks.0:77")
    assert "Did you mean 'budget'" in said(talk, "/bugdet")
    assert "calls=NUMBER" in said(talk, "/budget calls=many")
    assert "hubel ask" in said(talk, "/planner stdio")
    assert "/nowhere" in said(talk, "/data /nowhere")
    assert "no study under way" in said(talk, "/cancel")
    assert "has ended" in said(talk, "/resume 1")
    assert "Scenes cannot show 'zebras'" in said(talk, "which units like zebras?")
    assert said(talk, "/unit") == "The unit is blocks.0:0."
    assert said(talk, "/budget calls=7") == "A study may spend 20 rounds, 7 calls, 900 seconds."
    assert "blocks.1:0 ... blocks.1:7" in said(talk, "/units blocks.1")
    assert "synthesize(" in said(talk, "/tools")
    assert "held_out_sample" not in said(talk, "/tools")


def test_the_report_is_written_and_the_end_is_the_end(talk):
    path = re.search(r"file://(\S+\.html)", said(talk, "/report"))[1]
    assert Path(path).read_text().lstrip().lower().startswith("<!doctype html")
    assert "/never" not in talk


def test_a_pipe_gets_no_terminal_commands(talk):
    assert set(map(ord, talk)) & (set(range(32)) - {10}) == set()


def test_ctrl_c_stops_the_experiment_and_keeps_the_study(tmp_path):
    many = {"thought": "Look again and again.", "calls": [LOOK] * 12}
    planned = script(tmp_path, many, many, CONCLUDES)
    with Terminal([*WORDS, *planned], settings(tmp_path)) as screen:
        screen.until("hubel >")
        screen.type("what does blocks.0:0 like?\r")
        screen.until("#3 exemplars")
        screen.type("\x03")
        screen.until("Stopped. Study 1 is kept: /resume goes on with it.")
        screen.until("blocks.0:0 >")
        with Ledger(tmp_path) as ledger:
            assert ledger.study(1).stop is None
            first = {e.n: e for e in ledger.experiments(1) if e.status == "done"}
            assert set(first) >= {1, 2}
            assert len(first) < 25
        beneath = ["ps", "-o", "pid=", "--ppid", str(screen.process.pid)]
        lab_lives = subprocess.run(beneath, capture_output=True, check=False).stdout.strip()
        screen.type("/resume\r")
        if not lab_lives:  # the key may also have come between two calls of it
            screen.until("it is started again")
        screen.until("concludes: It likes red things.")
        screen.until("/report makes a page.")
        screen.until("blocks.0:0 >")
        with Ledger(tmp_path) as ledger:
            again = {e.n: e for e in ledger.experiments(1)}
            assert {n: again[n] for n in first} == first  # nothing was done twice
            assert sorted(again) == list(range(1, 27))
            assert {e.status for e in again.values()} == {"done"}
            assert ledger.study(1).stop == ledger.explanation(1).verdict
        screen.type("/why 1\x03")  # empties the line
        screen.type("/unit blocks.1:3\r")
        screen.until("The unit is blocks.1:3.")
        screen.until("blocks.1:3 >")
        screen.type("\x03")  # on an empty line it leaves
        assert screen.end() == 0
    history = (tmp_path / "history").read_text()
    assert "+what does blocks.0:0 like?" in history
    assert "/why 1" not in history


def test_a_stopped_study_can_be_ended_for_good_or_kept_for_another_day(tmp_path):
    planned = script(tmp_path, {"calls": [LOOK] * 30}, CONCLUDES)
    with Terminal([*WORDS, "--unit", "blocks.0:0", *planned], settings(tmp_path)) as screen:
        for number in (1, 2):
            screen.until("blocks.0:0 >")
            screen.type("what is it?\r")
            screen.until("#2 exemplars")
            screen.type("\x03")
            screen.until(f"Study {number} is kept")
            if number == 1:
                screen.until("blocks.0:0 >")
                screen.type("/cancel\r")
                screen.until("ended for good")
        screen.until("blocks.0:0 >")
        screen.type("\x04")
        screen.until("hubel resume 2")
        assert screen.end() == 0
    with Ledger(tmp_path) as ledger:
        assert [s.stop for s in ledger.studies()] == [None, "cancelled"]


def test_a_terminated_chat_keeps_the_study_and_leaves_no_lab(tmp_path):
    planned = script(tmp_path, {"calls": [LOOK] * 30}, CONCLUDES)
    with Terminal([*WORDS, *planned], settings(tmp_path)) as screen:
        screen.until("hubel >")
        screen.type("what does blocks.0:0 like?\r")
        screen.until("#2 exemplars")
        screen.process.send_signal(signal.SIGTERM)
        assert screen.end() == 128 + signal.SIGTERM
    with Ledger(tmp_path) as ledger:
        assert ledger.study(1).stop is None
    seen = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(tmp_path) not in seen


def test_hostile_output_of_a_planner_is_shown_as_text_on_a_real_terminal(tmp_path):
    claim = {"name": "h1", "claim": EVIL, "form": RED}
    refused = {"tool": "find", "args": {"phrase": EVIL}}
    planned = script(
        tmp_path,
        {"thought": EVIL, "hypotheses": [claim], "calls": [LOOK, refused]},
        {"thought": EVIL, "calls": [{"tool": EVIL, "args": {}}]},
        {"thought": EVIL, "conclusion": {"text": EVIL, "form": None, "evidence": [2]}},
    )
    with Terminal([*WORDS, *planned], settings(tmp_path)) as screen:
        screen.until("hubel >")
        screen.type("what does blocks.0:0 like?\r")
        screen.until("There is no tool '")
        screen.until("/report makes a page.")
        for line, answered in (
            ("/why 1", "Step 2 said"),
            ("/show", "cost:"),
            ("/why 2", "refused"),
        ):
            screen.until(" >")
            screen.type(f"{line}\r")
            screen.until(answered)
        screen.until(" >")
        screen.type("/quit\r")
        assert screen.end() == 0
        shown = screen.raw
    assert shown.count("boo[bold]x[/]") > 5
    for harm in ("\x1b]", "\x1b[2J", "\x9b", "\x1b[31m\x07", "\x07", "\u202e"):
        assert harm not in shown


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--planner", "stdio"], "hubel ask"),
        (["--planner", "builtins"], "Did you mean 'builtin'"),
        (["--unit", "blocks.9:0"], "blocks.0"),
        (["--budget", "calls=0"], "over zero"),
    ],
)
def test_wrong_use_is_one_sentence_and_a_status(tmp_path, words, says):
    done = piped(tmp_path, ["/quit"], *words)
    assert done.returncode == 2
    assert says in done.stderr.decode()
    assert len(done.stderr.decode().strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("line", "kind", "about"),
    [
        ("why did you believe that at step 7?", "why", "7"),
        ("Why did you run experiment 12?", "why", "#12"),
        ("why #3", "why", "#3"),
        ("why?", "why", ""),
        ("why did you believe that?", "why", ""),
        ("what did you find?", "found", ""),
        ("what is in this model?", "network", ""),
        ("tell me about the whole network", "network", ""),
        ("how many units does it have?", "network", ""),
        ("which units like stripes?", "which units", "stripes"),
        ("Which unit responds most strongly to dogs?", "which units", "dogs"),
        ("find units for red circles", "which units", "red circles"),
        ("what unit did you study about stripes?", "unit", ""),
        ("why does this unit fire on 3 dogs?", "unit", ""),
        ("what does blocks.0:1 respond to?", "unit", ""),
        ("what does this unit do in this model?", "unit", ""),
        ("is it about dogs?", "unit", ""),
    ],
)
def test_what_a_line_means(line, kind, about):
    meant = meaning_of(line)
    assert (meant.kind, meant.about) == (kind, about)


@pytest.mark.parametrize(
    ("environment", "way"),
    [
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM": "xterm-ghostty"}, "kitty"),
        ({"TERM_PROGRAM": "iTerm.app"}, "iterm2"),
        ({"LC_TERMINAL": "iTerm2"}, "iterm2"),
        ({"TERM": "foot"}, "sixel"),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7600"}, "link"),
        ({"TERM": "xterm-256color"}, "path"),
        ({"TERM": "xterm-kitty", "TMUX": "yes"}, "path"),
        ({"TERM": "xterm", "HUBEL_PICTURES": "sixel"}, "sixel"),
        ({}, "path"),
    ],
)
def test_what_a_terminal_can_show_is_told_by_its_environment(environment, way):
    assert way_of(environment) == way


def test_a_wrong_way_is_refused():
    with pytest.raises(ValueError, match="kitty, iterm2"):
        way_of({"HUBEL_PICTURES": "braille"})


@pytest.fixture
def picture():
    """Four flat colours, that every encoding must bring back."""
    pixels = np.zeros((13, 30, 3), np.uint8)
    pixels[:7, :15], pixels[:7, 15:] = (255, 0, 0), (0, 255, 0)
    pixels[7:, :15], pixels[7:, 15:] = (0, 0, 255), (255, 255, 255)
    return Image.fromarray(pixels)


def same(data, picture):
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        return np.array_equal(np.asarray(image.convert("RGB")), np.asarray(picture))


def test_kitty_and_iterm2_get_the_very_picture(picture):
    parts = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", kitty(picture))
    assert parts[0][0] == "a=T,f=100,q=2,m=0"
    assert same("".join(data for _, data in parts), picture)
    assert same(re.fullmatch(r"\x1b\]1337;File=[^:]*:(.*)\x07", iterm2(picture))[1], picture)
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 90, 3), np.uint8))
    parts = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", kitty(noise))
    assert [head[-3:] for head, _ in parts] == ["m=1"] * (len(parts) - 1) + ["m=0"]
    assert len(parts) > 2
    assert max(len(data) for _, data in parts) == 4096
    assert same("".join(data for _, data in parts), noise)


def decoded(command, width, height):
    """A sixel picture, read as a terminal reads it."""
    body = re.fullmatch(r"\x1bP0;1q\"1;1;(\d+);(\d+)(.*)\x1b\\", command, re.S)
    assert (int(body[1]), int(body[2])) == (width, height)
    out, palette, x, y, colour = np.zeros((height + 5, width, 3), np.uint8), {}, 0, 0, 0
    for token in re.finditer(r"#(\d+)(?:;2;(\d+);(\d+);(\d+))?|!(\d+)(.)|([?-~])|([$-])", body[3]):
        if token[2]:
            palette[int(token[1])] = [round(int(token[i]) * 2.55) for i in (2, 3, 4)]
        elif token[1]:
            colour = int(token[1])
        elif token[8]:
            x, y = 0, y + (6 if token[8] == "-" else 0)
        else:
            sign, n = (token[6], int(token[5])) if token[5] else (token[7], 1)
            for bit in range(6):
                if (ord(sign) - 63) >> bit & 1:
                    out[y + bit, x : x + n] = palette[colour]
            x += n
    assert not out[height:].any()
    return out[:height]


def test_sixels_draw_the_picture(picture):
    assert np.array_equal(decoded(sixel(picture), 30, 13), np.asarray(picture))


@pytest.mark.parametrize(("way", "begins"), [("kitty", "\x1b_G"), ("iterm2", "\x1b]1337"),
                                             ("sixel", "\x1bP"), ("link", "\x1b]8;")])  # fmt: skip
def test_pictures_are_drawn_or_linked_on_a_terminal_and_named_in_a_file(
    tmp_path, picture, way, begins
):
    with Ledger(tmp_path) as ledger:
        made = ledger.pictures.put(picture, {"kind": "picture"}, "stimulus")
        for terminal in (True, False):
            out = io.StringIO()
            colours = "truecolor" if terminal else None
            console = SafeConsole(file=out, force_terminal=terminal, color_system=colours)
            Pictures(console, ledger.pictures, tmp_path / "strips", way).show([made.id] * 9, "one")
            assert (begins in out.getvalue()) == terminal
        assert "\x1b" not in out.getvalue()
        assert (tmp_path / "strips" / "one.png").as_uri() in out.getvalue()
    assert strip([picture] * 3).size == (3 * 258 + 12, 112)


def test_words_of_a_model_come_one_by_one_and_obey_nobody():
    out = io.StringIO()
    console = SafeConsole(file=out, force_terminal=True, color_system=None, width=120)
    call = Call(tool=EVIL, args={})
    step = Step(thought="I look at it.", hypotheses=(Claim(name="h1", claim=EVIL, form={}),))
    with Display(console) as display:
        for part in ("I look", " at it.", "\x1b", "[2J", EVIL):
            display.watch("token", {"text": part})
            assert out.getvalue().replace("\x1b", "").strip()
        display.watch("step", {"n": 1, "step": step})
        display.watch("experiment", {"n": 2, "call": call})
        display.progress(1, 3, EVIL)
        result = {"n": 2, "call": call, "status": "broken", "error": EVIL, "verdicts": []}
        display.watch("result", result)
        display.watch("retry", {"status": "500", "error": EVIL, "wait": 0.5, "attempt": 1})
        display.watch("error", {"n": 2, "error": EVIL})
        display.watch("end", {})
    shown = out.getvalue()
    assert shown.count("I look at it.") == 1  # what was streamed is not said again
    for harm in ("\x1b]", "\x1b[2J", "\x9b", "\x1b[31m", "\x07", "\u202e"):
        assert harm not in shown
    quiet = io.StringIO()
    with Display(SafeConsole(file=quiet, force_terminal=False)) as display:
        display.watch("token", {"text": "I look at it."})
        display.watch("step", {"n": 1, "step": step})
    assert quiet.getvalue().count("I look at it.") == 1


def test_words_of_a_model_are_on_the_screen_while_it_still_speaks(tmp_path):
    def answer(_request):
        return Reply(text="It may be red. ", calls=(("exemplars", {"unit": "blocks.0:0", "k": 3}),))

    # The answer hangs after its first words.
    with ChatServer(answer, faults=["hang midway"]) as server:
        options = ["--planner", "openai/scripted", "--base-url", server.url]
        key = {"OPENAI_API_KEY": "none"}
        with Terminal([*WORDS, *options], {**settings(tmp_path), **key}) as screen:
            screen.until("hubel >")
            screen.type("what does blocks.0:0 like?\r")
            screen.until("It may")
            screen.type("\x03")
            screen.until("Study 1 is kept")
            screen.until("blocks.0:0 >")
            screen.type("/quit\r")
            assert screen.end() == 0
    with Ledger(tmp_path) as ledger:
        assert ledger.study(1).stop is None
        assert [m.role for m in ledger.messages(1)] == ["user"]
