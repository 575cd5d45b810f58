"""The conformance list: every attack is stopped, and every one succeeds where nothing stops it."""

import json
import os

import pytest

from hubel.sandbox import check
from hubel.sandbox.levels import find
from hubel.sandbox.probes import PROBES
from hubel.sandbox.probes.probe import Probe, Verdict
from hubel.sandbox.probes.room import Bench

#: What an attack needs that this machine or this user may lack; everywhere else it must succeed.
NEEDS = {probe.name for probe in PROBES if probe.depends}


@pytest.fixture(scope="module")
def isolated():
    found = find("isolated")
    if not found.works:
        pytest.skip(f"the isolated level does not work here: {found.why}")
    with Bench(found.jail) as bench:
        yield bench


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name.replace(" ", "-"))
def test_the_box_stops_what_succeeds_without_it(isolated, probe):
    outcome = check.tried(probe, isolated)
    assert outcome.held, outcome.evidence
    if probe.name in NEEDS:
        assert outcome.control.startswith((check.SUCCEEDED, "not possible")), outcome.control
    else:
        assert outcome.control == check.SUCCEEDED


@pytest.fixture(scope="module")
def confined():
    found = find("confined")
    if not found.works:
        pytest.skip(f"the confined level does not work here: {found.why}")
    with Bench(found.jail) as bench:
        yield bench


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name.replace(" ", "-"))
def test_the_weaker_box_stops_all_but_what_is_known(confined, probe):
    """Its scratch is a folder on disk, whose size and number of files nothing bounds."""
    outcome = check.tried(probe, confined, controls=False)
    unbounded = {"filling its scratch with many files", "many empty files"}
    assert outcome.held == (probe.name not in unbounded), outcome.evidence


def test_names_are_unique_and_every_probe_says_what_it_protects():
    assert len({probe.name for probe in PROBES}) == len(PROBES) > 60
    assert all(probe.protects for probe in PROBES)


def test_an_attack_that_gets_through_is_seen(isolated):
    """The control of the list itself: what a box allows on purpose is not said to have held."""

    def computes(room):
        tried = room.attack("result = sum(range(10))")
        return Verdict(tried.value == 45, tried.end())

    outcome = check.tried(Probe("computing", "nothing", computes), isolated)
    assert not outcome.held
    assert not outcome.shown
    assert "FAILED" in check.table([outcome])


def test_an_attack_that_cannot_succeed_shows_nothing(isolated):
    def gives_up(room):
        return Verdict(room.attack("result = 1").value == 2, "it never tried")

    outcome = check.tried(Probe("giving up", "nothing", gives_up), isolated)
    assert outcome.held
    assert outcome.control == "failed: it never tried"
    assert not outcome.shown


def test_a_judge_who_raises_has_not_seen_it_hold(isolated):
    def raises(room):
        if room.box:
            raise RuntimeError("the frame could not be read")
        return Verdict(True, "")

    outcome = check.tried(Probe("raising", "the host", raises), isolated)
    assert not outcome.held
    assert "RuntimeError: the frame could not be read" in outcome.evidence


def test_the_list_can_be_asked_for_in_part_and_read_by_scripts(isolated):
    heard = []
    chosen = ["UDP", "io_uring"]
    outcomes = check.conformance(
        "isolated", lambda *said: heard.append(said), only=chosen, controls=False
    )
    assert heard == [(0, 2, "UDP"), (1, 2, "io_uring")]
    rows = json.loads(check.as_json(outcomes))
    assert [row["name"] for row in rows] == chosen
    assert all(row["held"] and row["control"] == "not run" and not row["shown"] for row in rows)
    assert "2 attacks: 0 got through; 0 were stopped that succeed without the box" in check.table(
        outcomes
    )


def test_the_secrets_of_the_probes_do_not_stay(tmp_path):
    found = find("isolated")
    if not found.works:
        pytest.skip(found.why)
    with Bench(found.jail) as bench:
        folder = bench.folder
        assert os.environ["HUBEL_PROBE"] == bench.token
    assert "HUBEL_PROBE" not in os.environ
    assert not folder.exists()
