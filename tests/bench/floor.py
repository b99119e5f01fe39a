"""The least work that a cited answer takes: imports ONNX Runtime, tokenizers and FAISS, loads the
encoder, the reader and the index that rustqa uses, encodes one question, reads the nearest passages
once, and prints the words that the reader is surest of.

    python tests/bench/floor.py ENCODER_FOLDER READER_FOLDER INDEX_FOLDER QUESTION WORDS

No correction, no search by words, no calibration, no citation, no check of any file.
"""

import json
import sys
from pathlib import Path

import faiss
import numpy as np
from onnxruntime import InferenceSession
from tokenizers import Tokenizer

encoder, reader, index = map(Path, sys.argv[1:4])
question, words = sys.argv[4], int(sys.argv[5])
encode = InferenceSession(encoder / "model.onnx", providers=["CPUExecutionProvider"])
read = InferenceSession(reader / "model.onnx", providers=["CPUExecutionProvider"])
tokenizer = Tokenizer.from_file(str(reader / "tokenizer.json"))
tokenizer.no_truncation()
tokenizer.no_padding()
vectors = faiss.read_index(str(index / "vectors.faiss"))
lines = (index / "documents.jsonl").read_text(encoding="utf-8").splitlines()
texts = {row["id"]: row["text"] for row in map(json.loads, lines)}
lines = (index / "passages.jsonl").read_text(encoding="utf-8").splitlines()
passages = [json.loads(line) for line in lines]
owners = [place for place, row in enumerate(passages) for _ in range(1 + len(row["sentences"]))]

asked = tokenizer.encode(question)
vector = encode.run(None, {"input_ids": np.array([asked.ids])})[0]
_, found = vectors.search(vector / np.linalg.norm(vector), len(owners))
chosen, room = [], words
for place in dict.fromkeys(owners[row] for row in found[0]):
    text = texts[passages[place]["document_id"]][passages[place]["start"] : passages[place]["end"]]
    if len(text.split()) <= room:
        chosen.append(text)
        room -= len(text.split())

end, best = asked.ids[-1], (-np.inf, "")
pieces = [tokenizer.encode(text, add_special_tokens=False) for text in chosen]
while pieces:
    ids, spans = list(asked.ids), list[tuple[int, str]]()
    while pieces and (not spans or len(ids) + len(pieces[0].ids) < 480):
        text, piece = chosen.pop(0), pieces.pop(0)
        spans += [(len(ids) + place, text[slice(*at)]) for place, at in enumerate(piece.offsets)]
        ids += [*piece.ids, end]
    types = [int(place >= len(asked.ids)) for place in range(len(ids))]
    inputs = {"input_ids": np.array([ids]), "token_type_ids": np.array([types])}
    scores = read.run(None, inputs)[0][0]
    best = max(best, *((float(scores[place, 0]), word) for place, word in spans))
print(best[1])
