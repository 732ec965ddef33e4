# debug-gym with every sandbox that needs no daemon:
#   docker build -t debug-gym .
#   docker run --rm --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined \
#       -v "$PWD/runs:/runs" debug-gym run nightmares --agent repair --output /runs/repair
# Sandboxes are made of user namespaces, which Docker's own filters forbid: hence the options. `doctor` says what works.
ARG BASE=python:3.12-slim
FROM ${BASE}
ARG EXTRAS=llm,mcp,http
RUN apt-get update \
    && apt-get install -y --no-install-recommends git gcc libc6-dev patch ripgrep \
    && rm -rf /var/lib/apt/lists/*
COPY pyproject.toml README.md LICENSE debug_gym_verifiers.py /src/
COPY debug_gym /src/debug_gym
COPY tools /src/tools
COPY agents /src/agents
COPY benchmarks /src/benchmarks
RUN python3 -m venv /opt/debug-gym && /opt/debug-gym/bin/pip install --no-cache-dir "/src[${EXTRAS}]"
ENV PATH=/opt/debug-gym/bin:$PATH
RUN useradd --create-home gym && mkdir /runs && chown gym /runs
USER gym
WORKDIR /home/gym
ENTRYPOINT ["debug-gym"]
CMD ["--help"]
