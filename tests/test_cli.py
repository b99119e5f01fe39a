"""The command line, in process, over a small pipeline without a model."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from fakes import HARBOUR, FakeEncoder, FakeReader, articles
from indexing_fixtures import use_fake_encoder
from rustqa import evaluate as evaluate_module
from rustqa import opening
from rustqa.cli import main
from rustqa.errors import CitationError, EncoderError
from rustqa.indexing import build_in_memory
from rustqa.pipeline import Pipeline
from rustqa.types import Encoder

NOT_NEEDED = {
    *("torch", "transformers", "sentence_transformers", "sklearn", "scipy", "onnx", "safetensors"),
    *("fastapi", "starlette", "pydantic", "uvicorn", "jinja2", "rich", "tqdm", "huggingface_hub"),
}
COMMANDS = ("ask", "chat", "search", "index", "serve", "eval", "compare", "verify", "doctor")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """Every command that opens the pipeline gets this one."""
    encoder = FakeEncoder()
    small = Pipeline(build_in_memory(articles(), encoder), encoder, FakeReader(), 0.5)
    monkeypatch.setattr(opening, "open_pipeline", lambda *_args, **_options: small)
    return small


@pytest.fixture
def own_articles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own articles, and a fake encoder wherever one is opened."""
    use_fake_encoder(monkeypatch)
    monkeypatch.setattr(
        "rustqa.encoder.open_question_encoder", lambda name, _cache: FakeEncoder(name)
    )
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "harbour.txt").write_text(HARBOUR)
    monkeypatch.setenv("RUSTQA_INDEX", str(tmp_path / "index"))
    return folder


def say(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Puts bytes on standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))


@pytest.mark.usefixtures("small")
class TestAsk:
    """`rustqa ask`."""

    def test_shows_the_sentence_its_place_and_the_confidence(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """An answered question prints answer, sentence, paragraph, confidence; exit code 0."""
        assert main(["ask", "Who is the harbour master?"]) == 0
        shown = " ".join(capsys.readouterr().out.split())
        assert "“Nobody will sail before the wall is mended,” said Ada Quill" in shown
        assert "paragraph 2" in shown
        assert "confidence 90%" in shown
        assert "\x1b" not in shown, "no colours where standard output is no terminal"

    def test_says_that_the_article_does_not_say(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Silence has its own words, the nearest passages labelled as such, and exit code 1."""
        assert main(["ask", "Who won the cup?"]) == 1
        shown = capsys.readouterr().out
        assert "The article does not say." in shown
        assert "Closest passages, which do not answer the question:" in shown
        assert "confidence" not in shown

    def test_prints_the_record_as_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        """`--json` prints the answer record of the API, field by field."""
        assert main(["ask", "--json", "Who is the harbour master?"]) == 0
        record = json.loads(capsys.readouterr().out)
        assert list(record)[:4] == ["question", "question_used", "status", "answer"]
        assert record["status"] == "answered"

    def test_reads_the_question_from_standard_input(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A lone hyphen stands for standard input."""
        say(monkeypatch, b"Who is the harbour master?\n")
        assert main(["ask", "-"]) == 0
        assert "Ada Quill" in capsys.readouterr().out

    def test_follows_up(self, capsys: pytest.CaptureFixture[str]) -> None:
        """`--after` gives the question before, and the output tells what was understood."""
        assert main(["ask", "And why?", "--after", "Who closed the harbour?"]) == 0
        assert "Understood as: Who closed the harbour? And why?" in capsys.readouterr().out

    def test_batch_loses_no_line(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each line gets one line back, in order; bad ones an error and a bad exit code."""
        lines = [
            '"Who is the harbour master?"',
            '{"question": ""}',
            "not json",
            '{"question": "And why?", "history": [{"question": "Who closed it?"}]}',
        ]
        say(monkeypatch, "\n".join(lines).encode())
        assert main(["ask", "--batch", "-"]) == 2
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert rows[0]["status"] == "answered"
        assert rows[1] == {"line": 2, "error": "the question is empty; type one"}
        assert rows[2]["line"] == 3
        assert rows[3]["question_used"] == "Who closed it? And why?"

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["ask", ""], "the question is empty; type one"),
            (["ask", "x" * 10_000], "10,000 characters; shorten it"),
            (["ask", "why\a?"], "control character U+0007 at position 3; remove it"),
            (["ask"], "give one question"),
            (["ask", "why?", "--batch", "-"], "give one question"),
            (["ask", "why?", "-d", "nowhere"], "no article has the id 'nowhere'"),
            (["ask", "why?", "-k", "0"], "top_k is out of range; give a number from 1"),
            (["ask", "why?", "-t", "lots"], "'lots' is not a probability; give a number"),
            (["ask", "--batch", "/nowhere.jsonl"], "/nowhere.jsonl: No such file"),
            (["search", " "], "the question is empty; type one"),
        ],
    )
    def test_bad_input_gets_one_line(
        self, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """What cannot be asked is named in one line on standard error, with exit code 2."""
        assert main(arguments) == 2
        captured = capsys.readouterr()
        assert message in captured.err
        assert captured.err.count("\n") == 1
        assert captured.out == ""

    def test_input_that_is_not_utf8(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A question in another encoding is refused by the place where it stops being UTF-8."""
        say(monkeypatch, b"caf\xe9?")
        assert main(["ask", "-"]) == 2
        assert "standard input: not UTF-8 at byte 3" in capsys.readouterr().err


def test_each_kind_of_error_has_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unusable encoder exits with 4, a quotation held back with 5, an interruption with 130."""
    for error, code in (
        (EncoderError("no model"), 4),
        (CitationError("not there"), 5),
        (KeyboardInterrupt(), 130),
    ):

        def fail(*_args: object, _error: BaseException = error) -> None:
            raise _error

        monkeypatch.setattr(opening, "open_pipeline", fail)
        assert main(["ask", "why?"]) == code
    assert "rustqa: no model" in capsys.readouterr().err


def test_chat_keeps_the_conversation(
    small: Pipeline, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A follow-up leans on the question before; a bad question does not end the chat."""
    say(monkeypatch, b"Who closed the harbour?\nwhy\x07\nAnd when?\n\nnot asked\n")
    assert main(["chat", "--json"]) == 0
    captured = capsys.readouterr()
    used = [json.loads(line)["question_used"] for line in captured.out.splitlines()]
    assert used == ["Who closed the harbour?", "Who closed the harbour? And when?"]
    assert "control character" in captured.err


def test_chat_answers_small_talk(
    small: Pipeline, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With rustqa's own words and what can be asked; a follow-up leans past it."""
    say(monkeypatch, b"Hello!\nWho closed the harbour?\nThanks!\nAnd when?\n\n")
    assert main(["chat", "--json"]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    said = [record["message"] is not None for record in records]
    assert said == [True, False, True, False]
    assert records[0]["suggestions"] == ["Who is the harbour master?", "What did Ada Quill say?"]
    assert records[3]["question_used"] == "Who closed the harbour? And when?"


def test_search_lists_passages(small: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    """The best sentence of each passage, at most as many as asked for."""
    assert main(["search", "-k", "2", "--json", "harbour wall"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found) == 2
    assert len({(item["document_id"], item["paragraph"]) for item in found}) == 2


def test_ones_own_articles_from_folder_to_answer(
    own_articles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder is indexed, asked, found stale after a change, and indexed again by its memory."""
    assert main(["ask", "why?"]) == 3
    assert "no index at" in capsys.readouterr().err
    assert main(["index", str(own_articles)]) == 0
    assert "1 article(s), 3 passages" in capsys.readouterr().out
    assert main(["ask", "-t", "0", "Who is the harbour master?"]) == 0
    (own_articles / "orchard.txt").write_text("Frost destroyed the crop.")
    assert main(["ask", "why?"]) == 3
    assert "orchard.txt is new or changed); run: rustqa index" in capsys.readouterr().err
    assert main(["index"]) == 0
    assert "2 article(s)" in capsys.readouterr().out


def test_index_leaves_bad_folders_alone(
    own_articles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty corpus, a file that is not UTF-8, an unwritable place: exit code 3, no index."""
    empty = tmp_path / "empty"
    empty.mkdir()
    assert main(["index", str(empty)]) == 3
    assert "no articles there; put" in capsys.readouterr().err
    (own_articles / "harbour.txt").write_bytes(b"caf\xe9")
    assert main(["index", str(own_articles)]) == 3
    assert "harbour.txt: not UTF-8 at byte 3" in capsys.readouterr().err
    (own_articles / "harbour.txt").write_text(HARBOUR)
    inside_a_file = own_articles / "harbour.txt" / "index"
    assert main(["index", str(own_articles), "--index", str(inside_a_file)]) == 3
    assert "name another with --index" in capsys.readouterr().err
    assert not (tmp_path / "index").exists()


def test_verify_tells_what_no_longer_holds(
    own_articles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A saved answer holds until its article changes; then the quotation is named."""
    main(["index", str(own_articles)])
    main(["ask", "--json", "-t", "0", "Who is the harbour master?"])
    saved = tmp_path / "answer.json"
    saved.write_text(capsys.readouterr().out.partition("\n")[2])
    assert main(["verify", str(saved)]) == 0
    assert "every quotation holds" in capsys.readouterr().out
    (own_articles / "harbour.txt").write_text(HARBOUR.replace("Ada Quill", "Ida Quill"))
    assert main(["verify", str(saved)]) == 1
    assert "no longer in harbour" in capsys.readouterr().out
    saved.write_text("[1]")
    assert main(["verify", str(saved)]) == 2
    assert "not an answer record" in capsys.readouterr().err


def test_eval_saves_what_compare_compares(
    small: Pipeline,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Measures are printed, run and curve written; two runs make a table or JSON."""
    monkeypatch.setattr(evaluate_module, "open_pipeline", lambda _settings: small)
    row = {"question": "Who?", "kind": "factoid", "answers": ["Ada"], "support": ["Ada Quill"]}
    file, run, curve = (tmp_path / name for name in ("dev.jsonl", "run.json", "curve.svg"))
    file.write_text(json.dumps(row))
    assert main(["eval", str(file), "--save", str(run), "--curve", str(curve)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split()[:2] == ["all", "1"]
    assert "dev.jsonl" in curve.read_text()
    assert main(["eval", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(run.read_text())["report"]
    assert main(["compare", str(run), str(run)]) == 0
    assert "1 question(s); per cent" in capsys.readouterr().out
    assert main(["compare", "--json", str(run), str(run)]) == 0
    assert json.loads(capsys.readouterr().out)["measures"]["answered"]["difference"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compare", "a.json", "b.json"], "a.json: No such file"),
        (["eval", "dev.jsonl", "--save", "missing/run.json"], "run.json: cannot be written there"),
        (["eval", "dev.jsonl", "--curve", "/dev/null"], "/dev/null: cannot be written there"),
    ],
)
def test_evaluations_that_cannot_be_used(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line on standard error, exit code 2, before any question is asked."""
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1


def test_own_and_together_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    """A question cannot be asked of one article and of all."""
    with pytest.raises(SystemExit, match="2"):
        main(["eval", "dev.jsonl", "--own", "--together"])
    assert "not allowed with argument --own" in capsys.readouterr().err


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    """Help shows examples and exit codes for the program and for every command."""
    for arguments in (
        ["--help"],
        *([name, "--help"] for name in COMMANDS),
    ):
        with pytest.raises(SystemExit, match="0"):
            main(arguments)
        shown = capsys.readouterr().out
        assert "example" in shown
        assert "exit codes:" in shown
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])


def test_nothing_but_an_index_is_replaced(
    own_articles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder with a manifest.json of another kind of program keeps all its files."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "manifest.json").write_text('{"name": "a web application"}')
    (site / "index.html").write_text("kept")
    assert main(["index", str(own_articles), "--index", str(site)]) == 3
    assert "holds other files" in capsys.readouterr().err
    assert (site / "index.html").read_text() == "kept"


@pytest.mark.parametrize("arguments", [["index", "--index", "i"], ["ask", "why?", "--index"]])
def test_a_path_that_cannot_be_looked_at(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A name longer than the file system takes gives one line and exit code 2."""
    # The encoder, which is opened meanwhile, may have to be prepared first and would say so.
    monkeypatch.setattr("rustqa.encoder.open_question_encoder", lambda *_: FakeEncoder())
    monkeypatch.chdir(tmp_path)
    assert main([*arguments, "x" * 300]) == 2
    error = capsys.readouterr().err
    assert error.endswith("File name too long; make it usable or name another\n")
    assert error.count("\n") == 1


@pytest.mark.usefixtures("small")
def test_batch_takes_what_json_takes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Line separators inside a string, wrong types and deep nesting each stay one line."""
    lines = ['"Who\u2028closed it?"', "", '{"question": "x", "history": [{"question": 5}]}']
    say(monkeypatch, "\n".join([*lines, "[" * 100_000]).encode())
    assert main(["ask", "--batch", "-"]) == 2
    rows = [json.loads(line) for line in capsys.readouterr().out.strip().split("\n")]
    assert rows[0]["question"] == "Who\u2028closed it?"
    assert rows[1] == {"line": 3, "error": "the question is not text; give a string"}
    assert rows[2]["line"] == 4


@pytest.mark.usefixtures("small")
def test_a_terminal_without_our_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal that knows only ASCII the quotation marks are spelt out, not fatal."""
    output = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(output, encoding="ascii"))
    assert main(["ask", "Who is the harbour master?"]) == 0
    assert b"\\u201cNobody will sail" in output.getvalue()


@pytest.mark.model
def test_a_question_loads_nothing_that_it_does_not_need(
    question_encoder: Encoder, model_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a process of its own, from the question to the answer."""
    monkeypatch.setenv("RUSTQA_CACHE", str(model_cache))
    code = (
        "import sys; from rustqa.cli import main; "
        "assert main(['ask', 'why was the case dismissed?']) == 0; "
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.splitlines()[-1].split())
    assert loaded >= {"rustqa", "numpy", "faiss", "onnxruntime", "tokenizers"}
    assert loaded & NOT_NEEDED == set()
