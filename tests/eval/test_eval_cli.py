"""`aldo eval run` and `aldo eval report` as a user runs them: exit codes, files, and what is refused with its reason."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from click.testing import CliRunner

from aldo.cli.main import cli
from aldo.errors import UsageError
from aldo.eval.report import FORMATS
from tests.eval.playing import SAYS_YES, Bench, Player, entry
from tests.support.cli import aldo
from tests.support.fake_server import http

CASES = ["one", "two", "three"]
REFUSED = http('{"error": {"message": "no"}}', "400 Bad Request")


@pytest.fixture
def player():
    with Player() as played:
        yield played


@pytest.fixture
def bench(tmp_path, player):
    return (
        Bench(tmp_path)
        .catalog(entry("a", player.url), entry("b", player.url))
        .suite(CASES, threshold={"says-yes": 0.5})
    )


def cuts(*texts):
    return lambda question: question.says("yes and", "length") if question.text in texts else f"yes, {question.text}"


# Exit codes


def test_0_where_every_gate_is_met(bench):
    assert bench.cli("a", "b").returncode == 0


def test_1_where_a_threshold_is_missed_even_beside_an_error(bench, player):
    player.answer = lambda question: "no"
    player.faults["two"] = [REFUSED]
    assert bench.cli("a").returncode == 1


def test_1_where_cut_answers_leave_a_gate_open(bench, player):
    player.answer = cuts("two", "three")
    done = bench.cli("a")
    assert (done.returncode, "open" in done.stdout) == (1, True)


def test_0_where_cut_answers_could_not_turn_it(bench, player):
    player.answer = cuts("two")
    assert bench.cli("a").returncode == 0


def test_3_where_an_answer_is_in_error_though_the_gate_is_met(bench, player):
    player.faults["two"] = [REFUSED]
    assert bench.cli("a").returncode == 3
    assert aldo("eval", "report", str(bench.log)).returncode == 3
    assert bench.cli("a", resume=True).returncode == 0


def test_3_where_a_script_fails(bench):
    bench.suite(CASES, [{"name": "s", "type": "script", "command": ["false"]}])
    assert bench.cli("a").returncode == 3


def test_3_where_a_server_is_down(bench, player):
    with Player() as gone:
        url = gone.url
    bench.catalog(entry("a", player.url), entry("gone", url))
    done = bench.cli("a", "gone")
    assert (done.returncode, done.stdout) == (3, "")
    assert "error: gone: " in done.stderr
    assert player.asked == []
    assert not bench.log.exists()  # the same command may come again


@pytest.mark.parametrize(
    "options",
    [["--max-regression=nobody=0.1"], ["--max-regression=2"], ["--repeat=0"], ["--concurrency=0"], ["--timeout=nan"], ["--format=pdf"],
     ["--output=pdf=x"], ["--output=html"], ["--json", "--format=text"], ["--usage="], ["--usage=/no/such/folder/u.jsonl"], ["--seed=-1"],
     ["--model=unheard-of"], ["--model=a"], ["--log="], ["--retries=-1"], ["--suite=nothing.yaml"], ["--suite=agent.yaml"], ["--catalog=suite.yaml"]],
    ids=" ".join,
)  # fmt: skip
def test_2_for_what_makes_no_sense_before_anything_is_asked(bench, player, options):
    done = CliRunner().invoke(cli, [*bench.command("a", "b"), *options])
    assert (done.exit_code, type(done.exception)) == (2, SystemExit)
    assert player.questions == []


def test_2_where_the_report_would_take_the_place_of_its_log_or_suite(bench, player):
    for name in ("log.jsonl", "suite.yaml", "agent.yaml"):
        assert CliRunner().invoke(cli, [*bench.command("a"), f"--output=json={bench.folder / name}"]).exit_code == 2
    assert player.questions == []
    assert json.loads((bench.folder / "suite.yaml").read_text())["suite"]["name"] == "played"


@pytest.mark.parametrize(("limit", "code"), [("0.9", 0), ("says-yes=0.01", 1)])
def test_a_limit_of_regressions_is_a_gate(bench, player, limit, code):
    bench.suite([f"case {n}" for n in range(12)])
    player.answer = lambda question: "no" if (question.model, question.text) == ("b", "case 3") else "yes"
    assert bench.cli("a", "b", options=[f"--max-regression={limit}"]).returncode == code
    assert aldo("eval", "report", str(bench.log), f"--max-regression={limit}").returncode == code
    assert CliRunner().invoke(cli, ["eval", "report", str(bench.log)]).exit_code == 0


# Files


def test_the_report_of_the_log_is_what_the_run_printed_in_every_format(bench, player):
    player.answer = cuts("two")
    player.faults["three"] = [REFUSED]
    outputs = [f"--output={form}={bench.folder / form}" for form in FORMATS]
    done = bench.cli("a", "b", options=["--json", *outputs])
    again = aldo("eval", "report", str(bench.log), "--json")
    assert (again.stdout, again.returncode) == (done.stdout, done.returncode)
    assert json.loads(done.stdout)["exitCode"] == done.returncode == 3
    assert again.stdout == (bench.folder / "json").read_text("utf-8")
    outputs = [f"--output={form}={bench.folder / form}.again" for form in FORMATS]
    assert aldo("eval", "report", str(bench.log), *outputs).returncode == 3
    for form in FORMATS:
        assert (bench.folder / f"{form}.again").read_bytes() == (bench.folder / form).read_bytes(), form


def test_a_report_reads_and_writes_nothing_else(bench):
    bench.cli("a")
    raw = bench.log.read_bytes()
    for name in ("suite.yaml", "agent.yaml", "models.yaml"):
        (bench.folder / name).unlink()
    bench.log.chmod(0o400)
    before = sorted(bench.folder.iterdir())
    assert aldo("eval", "report", str(bench.log), cwd=bench.folder).returncode == 0
    assert (sorted(bench.folder.iterdir()), bench.log.read_bytes()) == (before, raw)


def test_without_a_name_the_log_has_one_with_the_suite_and_resume_finds_the_newest(bench, player):
    command = [part for part in bench.command("a") if not part.startswith("--log")]
    for _ in range(2):
        assert aldo(*command, cwd=bench.folder).returncode == 0
    logs = sorted(bench.folder.glob("eval-logs/played-*.jsonl"))
    assert len(logs) == 2
    before = len(player.questions)
    done = aldo(*command, "--resume", cwd=bench.folder)
    assert (done.returncode, len(player.questions)) == (0, before)
    assert sorted(bench.folder.glob("eval-logs/*")) == logs


def test_resume_without_any_log_is_told(bench, player):
    command = [part for part in bench.command("a") if not part.startswith("--log")]
    done = aldo(*command, "--resume", cwd=bench.folder)
    assert (done.returncode, player.questions) == (2, [])


@pytest.mark.parametrize("by", ["option", "variable"])
def test_the_usage_log_has_a_row_for_every_request_with_provider_and_model(bench, player, by):
    player.faults["two"] = [http("{}", "503 Service Unavailable", retry_after="0")]
    path = bench.folder / "usage.jsonl"
    bench.catalog(entry("a", player.url, provider="one"), entry("b", player.url, provider="two"))
    done = (
        bench.cli("a", "b", options=[f"--usage={path}"])
        if by == "option"
        else bench.cli("a", "b", ALDO_USAGE_LOG=str(path))
    )
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(rows) == len(player.questions) == 9
    assert Counter((row["provider"], row["model"]) for row in rows) == {("one", "a"): 5, ("two", "b"): 4}
    assert json.loads(aldo("usage", str(path), "--json").stdout)["total"]["requests"] == 9


def test_progress_is_told_on_standard_error_and_the_report_alone_on_standard_output(bench):
    done = bench.cli("a", "b", options=["--json"])
    assert json.loads(done.stdout)["baseline"] == "a"
    assert "a: 3 of 3 answers" in done.stderr
    assert "b: 3 of 3 answers" in done.stderr


# Two ids that are one model


def refused(bench, player, *models, **environ):
    """The reason, which is the same for the command line; nothing is asked."""
    with pytest.raises(UsageError) as told:
        bench.go(*models, environ=environ)
    done = bench.cli(*models, **environ)
    assert (done.returncode, done.stdout) == (2, "")
    assert all(model in done.stderr for model in models)
    assert player.questions == []
    return str(told.value)


def test_one_server_and_model_by_two_ids_is_refused(bench, player):
    bench.catalog(
        entry("a", player.url),
        entry("twin", player.url) | {"providerConfig": {"baseUrl": f"{player.url}/v1", "model": "a"}},
    )
    assert "would be answered by one model" in refused(bench, player, "a", "twin")


@pytest.mark.parametrize(
    "spelling",
    [
        "http://localhost:{}/v1",
        "http://127.0.0.1:{}/v1/",
        "http://LOCALHOST:{}/v1",
        "http://[::1]:{}/v1",
        "http://127.0.0.1:{}",
        "http://127.0.1.1:{}/v1",
    ],
)
def test_spellings_of_one_address_are_one_server(bench, player, spelling):
    where = {"baseUrl": spelling.format(player.server.port), "model": "a"}
    bench.catalog(entry("a", player.url), entry("twin", player.url, providerConfig=where))
    assert "would be answered by one model" in refused(bench, player, "a", "twin")


def test_a_variable_that_moves_two_models_to_one_server_is_named(bench, player):
    def mlx(name, port):
        where = {"baseUrl": f"http://127.0.0.1:{port}"}
        return entry(name, "", provider="mlx", providerKind="mlx", providerConfig=where)

    bench.catalog(mlx("a", 8081), mlx("b", 8082))
    told = refused(bench, player, "a", "b", MLX_BASE_URL=player.url)
    assert "MLX_BASE_URL moved it there" in told


def test_a_server_with_one_model_is_one_model_whatever_it_is_called(tmp_path):
    props = {"default_generation_settings": {"n_ctx": 2048}}
    pages = {
        "/props": props,
        "/health": {"status": "ok"},
        "/v1/models": {"data": [{"id": "m", "owned_by": "llamacpp"}]},
    }

    class OneModel(Player):
        def _play(self, seen):
            return http(json.dumps(pages[seen.target])) if seen.target in pages else super()._play(seen)

    with OneModel() as player:
        entries = [entry(name, player.url, provider="llamacpp") for name in "ab"]
        bench = Bench(tmp_path).catalog(*entries).suite(CASES)
        assert "has one model, whatever name it is asked for" in refused(bench, player, "a", "b")
        assert bench.go("a").samples  # one of them alone is well


def test_a_model_named_twice_is_refused(bench, player):
    assert "named twice" in refused(bench, player, "a", "a")


def test_two_models_of_one_server_and_one_model_of_two_servers_are_two(bench, player):
    assert bench.cli("a", "b").returncode == 0
    bench.log.unlink()
    with Player() as other:
        twin = entry("twin", other.url, providerConfig={"baseUrl": f"{other.url}/v1", "model": "a"})
        bench.catalog(entry("a", player.url), twin)
        assert bench.cli("a", "twin").returncode == 0


def test_what_a_server_says_cannot_move_the_cursor(bench, player):
    player.answer = lambda question: "\x1b[2J\x07yes" if question.model == "a" else "\x1b]0;title\x07no"
    done = bench.suite(CASES, [SAYS_YES]).cli("a", "b")
    assert "\x1b" not in done.stdout + done.stderr
    assert "\x07" not in done.stdout + done.stderr
