"""Writes the tables of README.md and of docs/ from the saved results.

    make bench-tables, or: PYTHONPATH=tests python -m bench.tables

A table stands between `<!-- begin NAME -->` and `<!-- end NAME -->`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.record import RESULTS

_REPOSITORY = Path(__file__).resolve().parents[2]
_DOCS = _REPOSITORY / "docs"
PAGES = (_REPOSITORY / "README.md", _DOCS / "speed.md", _DOCS / "scaling.md", _DOCS / "load.md")
_NAMES = {
    "plain": "sentence-transformers + FAISS, by hand",
    "txtai": "txtai",
    "haystack": "Haystack",
    "llama_index": "LlamaIndex",
    "langchain": "LangChain",
}
_PACKAGES = {
    "plain": "sentence-transformers",
    "txtai": "txtai",
    "haystack": "haystack-ai",
    "llama_index": "llama-index-core",
    "langchain": "langchain-core",
}
_MEASURES = {
    "hit_at_1": "hit@1",
    "hit_at_3": "hit@3",
    "exact_match": "EM",
    "f1": "F1",
    "f1_given": "F1 given",
    "best_f1": "best F1",
    "auroc": "AUROC",
    "coverage_at_90": "cov@90",
}
Results = Mapping[str, Any]
Rows = list[tuple[str, ...]]


def peers_table(results: Results) -> str:
    """Others beside rustqa: times and memory as multiples of rustqa's, and what they find."""
    rows = [("", "cold start", "memory", "warm question", "paragraph first", "sentence first")]
    for item in results["peers"]["results"]:
        ours = item["name"] == "rustqa"
        version = results["peers"]["peers"].get(item["name"], {}).get(_PACKAGES.get(item["name"]))
        name = _NAMES.get(item["name"], f"**rustqa {item['variant']}**".replace(" **", "**"))
        label = name if ours else f"{name} {version}, {item['variant']}"
        ratio = item["cold_ratio"]
        rows.append(
            (
                label,
                _times(ratio["wall_s"]),
                _times(ratio["memory_mib"]),
                _times(item["warm_ratio"]),
                f"{100 * item['paragraph_hit_at_1']:.1f}",
                f"{100 * item['sentence_hit_at_1']:.1f}",
            )
        )
    return _markdown(rows)


def best_table(results: Results) -> str:
    """The same with each one's last way alone, which is the one that finds most."""
    last = {item["name"]: item for item in results["peers"]["results"]}
    ours = [item for item in results["peers"]["results"] if item["name"] == "rustqa"]
    others = [item for name, item in last.items() if name != "rustqa"]
    return peers_table({"peers": {**results["peers"], "results": [*ours, *others]}})


def floor_table(results: Results) -> str:
    """What rustqa takes beside the least that the same work takes."""
    cold, warm = results["cold"]["ratios"], results["warm"]["ratios"]
    building = results["building"]["ratios"]
    rows = [
        ("rustqa beside the bare work", "ratio", "aim"),
        ("`rustqa ask`, cold: time", f"{cold['wall_s_to_floor']:.2f}", "at most 1.5"),
        ("`rustqa ask`, cold: peak memory", f"{cold['memory_mib_to_floor']:.2f}", "at most 1.2"),
        ("`POST /ask`, one client: median", f"{warm['p50_to_bare']:.2f}", "at most 1.25"),
        ("8 clients: questions a second", f"{warm['throughput_to_bare_at_8']:.2f}", "at least 0.9"),
        ("8 clients: p99 over median", f"{warm['p99_to_p50_at_8']:.2f}", "at most 3"),
        ("index of 10,000 passages", f"{building['building_to_bare']:.2f}", "at least 0.9"),
    ]
    return _markdown(rows)


def figures_table(results: Results) -> str:
    """The figures behind the ratios, which depend on the machine and on what else it did."""
    rows = [("measure", "figure")]
    for name in ("cold", "warm", "building"):
        rows += [(f"{name}: {key}", f"{value:g}") for key, value in _figures(results, name)]
    return _markdown(rows)


def precision_table(results: Results) -> str:
    """Eight bits / float32 on every set."""
    rows = [("eight bits / float32", *_MEASURES.values())]
    for name, kinds in results["precision"]["sets"].items():
        pairs = [[kinds[kind].get(key) for kind in ("int8", "fp32")] for key in _MEASURES]
        rows.append((name, *(" / ".join(map(_percent, pair)) for pair in pairs)))
    return _markdown(rows)


def scale_table(results: Results) -> str:
    """What an index takes as it grows, one column a size."""
    sizes = results["scale"]["sizes"]
    rows = [
        ("passages", [f"{item['passages']:,}" for item in sizes]),
        ("FAISS index", [item["index"] for item in sizes]),
        (
            "lists looked through",
            [f"{item['probes']:,}" if item["probes"] else "–" for item in sizes],
        ),
        ("recall@10, beside exact search", [f"{item['recall_at_10']:.3f}" for item in sizes]),
        ("retrieval, p50 / p95, ms", [_pair(item, "retrieve_{}_cpu_ms") for item in sizes]),
        (
            "of which encoding the question",
            [_ms(item["of_which_encoding_p50_cpu_ms"]) for item in sizes],
        ),
        ("opened in, s", [f"{item['open_s']:.1f}" for item in sizes]),
        ("resident once opened / after 500 questions, MiB", [_resident(item) for item in sizes]),
        ("of which files mapped into memory, MiB", [str(_asked(item)["files"]) for item in sizes]),
        ("on disk, MiB", [f"{item['disk_mib']:,.0f}" for item in sizes]),
        ("on disk, bytes a passage", [_bytes(item) for item in sizes]),
        ("built in, s, texts encoded elsewhere", [_built(item) for item in sizes]),
    ]
    return _markdown([("", *rows[0][1])] + [(name, *cells) for name, cells in rows[1:]])


def soak_table(results: Results) -> str:
    """Each kind of request of the soak: its statuses and how long it took."""
    rows: Rows = [("request", "statuses", "wrong", "p50, ms", "p90, ms", "p99, ms", "longest, ms")]
    for kind, found in results["soak"]["kinds"].items():
        statuses = [
            f"{number:,} × {'left' if status == '0' else status}"
            for status, number in found["statuses"].items()
        ]
        times = [f"{found[f'{name}_ms']:,.0f}" for name in ("p50", "p90", "p99", "max")]
        rows.append((f"{found['part']}: {kind}", ", ".join(statuses), str(found["failed"]), *times))
    return _markdown(rows)


def held_table(results: Results) -> str:
    """What the server held before, during and after the soak."""
    held = results["soak"]["held"]
    rows: Rows = [("", "before", "most", "five seconds after")]
    for name, key in (
        ("resident memory, MiB", "rss_mib"),
        ("threads", "threads"),
        ("open files", "files"),
    ):
        values = [f"{held[when][key]:,.0f}" for when in ("before", "most", "after")]
        rows.append((name, *values))
    return _markdown(rows)


def totals_table(results: Results) -> str:
    """The soak in a few numbers."""
    soak, held = results["soak"], results["soak"]["held"]
    rows = [
        ("the soak", ""),
        ("minutes, clients", f"{soak['minutes']:g}, {soak['clients']}"),
        ("requests", f"{soak['requests']:,}"),
        ("valid ones that failed", f"{soak['failed_valid']:,}"),
        ("answered otherwise than is right, of all", f"{soak['failed']:,}"),
        (
            f"resident memory after {held['settled_s']} s, and in the last 20 s, MiB",
            f"{held['settled_rss_mib']:.1f}, {held['end_rss_mib']:.1f} "
            f"({held['growth_percent']:+.1f} %)",
        ),
    ]
    return _markdown(rows)


def past_capacity_table(results: Results) -> str:
    """What comes of many more requests than there are places."""
    found = results["past_capacity"]
    answered, refused = found["answered_in"], found["refused_at_once_in"]
    rows = [
        ("past capacity", ""),
        ("clients, seconds", f"{found['clients']}, {found['seconds']:g}"),
        ("answered", f"{found['answered']:,}"),
        ("in, p50 / p99, ms", _spread(answered)),
        ("refused at once with 503", f"{found['refused_at_once']:,}"),
        ("in, p50 / p99, ms", _spread(refused)),
        ("refused after waiting", f"{found['refused'] - found['refused_at_once']:,}"),
        ("refused without Retry-After", str(found["refused_without_retry_after"])),
        ("no answer, or another", f"{sum(found['others'].values()):,}"),
        ("unanswered when all left", f"{found['left_unanswered']:,}"),
        ("alone, before: p50, ms", f"{found['alone_before_p50_ms']:,.0f}"),
        ("the first question after all left, ms", f"{found['first_afterwards_ms']:,.0f}"),
        ("alone, afterwards: p50, ms", f"{found['alone_afterwards_p50_ms']:,.0f}"),
    ]
    return _markdown(rows)


def workers_table(results: Results) -> str:
    """What several workers hold together over one index."""
    rows: Rows = [("MiB", "resident, added up", "shared counted once", "of which mapped files")]
    for item in results["workers"]["rows"]:
        values = [f"{item[name]:,.0f}" for name in ("rss_mib", "pss_mib", "pss_mapped_mib")]
        rows.append((f"{item['workers']} worker{'s' * (item['workers'] > 1)}", *values))
    return _markdown(rows)


TABLES: Mapping[str, Callable[[Results], str]] = {
    "peers": peers_table,
    "best": best_table,
    "floor": floor_table,
    "figures": figures_table,
    "precision": precision_table,
    "scale": scale_table,
    "totals": totals_table,
    "held": held_table,
    "soak": soak_table,
    "past_capacity": past_capacity_table,
    "workers": workers_table,
}


def filled(page: str, results: Results) -> str:
    """The page with its tables as the results give them."""
    for name, table in TABLES.items():
        begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
        if begin in page:
            before, _, rest = page.partition(begin)
            page = f"{before}{begin}\n{table(results)}\n{end}{rest.partition(end)[2]}"
    return page


def saved_results() -> Results:
    """What is saved, by name."""
    files = sorted(RESULTS.glob("*.json"))
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}


def _figures(results: Results, name: str) -> list[tuple[str, float]]:
    return sorted(results[name]["figures"].items())


def _pair(item: Results, name: str) -> str:
    return " / ".join(_ms(item[name.format(part)]) for part in ("p50", "p95"))


def _ms(value: float) -> str:
    return f"{value:.1f}"


def _spread(times: Mapping[str, float | None]) -> str:
    return " / ".join(
        "–" if value is None else f"{value:,.0f}" for value in (times["p50_ms"], times["p99_ms"])
    )


def _asked(item: Results) -> Mapping[str, int]:
    memory: Mapping[str, int] = item["resident_mib"]["asked"]
    return memory


def _resident(item: Results) -> str:
    return f"{item['resident_mib']['opened']['all']:,} / {_asked(item)['all']:,}"


def _bytes(item: Results) -> str:
    return f"{sum(item['bytes_a_passage'].values()):,.0f}"


def _built(item: Results) -> str:
    built = item.get("build")
    return f"{sum(built[name] for name in ('take_s', 'finish_s', 'save_s')):,.0f}" if built else "–"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"


def _times(ratio: float) -> str:
    return "1" if ratio == 1 else f"{ratio:.1f} ×" if ratio >= 1 else f"{ratio:.2f} ×"


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


def main() -> int:
    """Rewrites the pages."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        page.write_text(filled(text, saved_results()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
