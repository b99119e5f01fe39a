"""The commands `rustqa eval` and `rustqa compare`: their arguments and what they print."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from rustqa.settings import Settings


def eval_arguments(parser: argparse.ArgumentParser) -> None:
    """What `rustqa eval` can be told."""
    parser.add_argument("file", type=Path, help="labelled questions (docs/evaluation.md)")
    parser.add_argument("-j", "--json", action="store_true", help="print JSON")
    scope = parser.add_mutually_exclusive_group()
    scope.add_argument(
        "--own", dest="scope", action="store_const", const="own",
        help="ask each question of its own article alone; of SQuAD, of its own paragraph",
    )  # fmt: skip
    scope.add_argument(
        "--together", dest="scope", action="store_const", const="together",
        help="ask each question of all articles of the file",
    )  # fmt: skip
    parser.add_argument(
        "--only", type=Path, metavar="IDS", help="only the questions whose ids the file lists"
    )
    parser.add_argument("--save", type=Path, metavar="RUN.json", help="save how each question went")
    parser.add_argument(
        "--curve", type=Path, metavar="CURVE.svg", help="draw the risk-coverage curve"
    )


def compare_arguments(parser: argparse.ArgumentParser) -> None:
    """What `rustqa compare` can be told."""
    parser.add_argument("before", type=Path, help="what `rustqa eval --save` wrote")
    parser.add_argument("after", type=Path, help="the same of another run of the same questions")
    parser.add_argument("-j", "--json", action="store_true", help="print JSON")


def run_eval(options: argparse.Namespace, settings: Settings) -> None:
    """Scores the answers on a labelled file; prints the measures and saves what is wanted."""
    from rustqa.evaluate import evaluate_file
    from rustqa.report import check_place, curve_svg, run_to_json, save, table

    for file in filter(None, (options.save, options.curve)):
        check_place(file)
    run = evaluate_file(options.file, settings, options.scope, options.only)
    print(json.dumps(run.report.to_dict(), indent=2) if options.json else table(run.report))
    if options.save:
        save(options.save, run_to_json(run))
    if options.curve:
        save(options.curve, curve_svg(run.outcomes, f"Risk–coverage curve, {run.file}"))


def run_compare(options: argparse.Namespace) -> None:
    """Prints how two saved runs differ."""
    from rustqa.report import compare, comparison_table, read_run

    found = compare(read_run(options.before), read_run(options.after))
    print(json.dumps(found.to_dict(), indent=2) if options.json else comparison_table(found))
