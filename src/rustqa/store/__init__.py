"""Stores of passages: an index folder searched by FAISS, or a Qdrant collection."""
