# syntax=docker/dockerfile:1
#
#   docker build -t gapo .                       CPU
#   docker build -t gapo:gpu --target gpu .      NVIDIA GPU: docker run --gpus all …
#
#   docker run --rm -p 8080:8080 -p 8081:8081 gapo
#   docker run --rm -p 8080:8080 -v "$PWD/store:/models:ro" -e GAPO_STORE=/models gapo

FROM python:3.12-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/gapo
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE NOTICE ./
COPY clients/python clients/python
COPY core core
COPY model model
COPY training training
COPY export export
COPY server server

FROM build AS build-cpu
RUN /opt/gapo/bin/pip install -c constraints.txt '.[server]'

# onnxruntime-gpu instead of onnxruntime, with CUDA and cuDNN as wheels; the driver comes with the container runtime.
FROM build AS build-gpu
RUN /opt/gapo/bin/pip install -c constraints.txt '.[server-gpu]'

FROM python:3.12-slim-bookworm AS runtime
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin gapo
ENV PATH=/opt/gapo/bin:$PATH PYTHONUNBUFFERED=1 GAPO_HOST=0.0.0.0
EXPOSE 8080 8081
# Past any proxy: Docker passes its client's http_proxy on to containers.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:%s/healthz' % os.environ.get('GAPO_HTTP_PORT', '8080'), timeout=4)"]
ENTRYPOINT ["gapo"]
CMD ["serve"]

FROM runtime AS gpu
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=build-gpu /opt/gapo /opt/gapo
USER 10001

FROM runtime AS cpu
COPY --from=build-cpu /opt/gapo /opt/gapo
USER 10001
