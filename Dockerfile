# Videoflix: one image for web, workers, reaper and commands; the entry point is told which.
#   docker build -t videoflix .

# docker/pin-images.sh replaces it by an exact one.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS packages
COPY requirements.txt /tmp/
# Into a folder of their own, which is all that the next stage takes; ffmpeg comes from Debian instead of a wheel.
RUN python -m venv /opt/venv \
    && grep -v '^imageio-ffmpeg' /tmp/requirements.txt > /tmp/needed.txt \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check -r /tmp/needed.txt

FROM ${PYTHON_IMAGE}
RUN apt-get update \
    && apt-get install -y --no-install-recommends ffmpeg tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --home-dir /data --shell /usr/sbin/nologin videoflix \
    && install -d -o videoflix -g videoflix /data
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY manage.py ./
COPY config config
COPY users_app users_app
COPY content_app content_app
COPY background background
COPY media_pipeline media_pipeline
COPY templates templates
COPY static static
COPY local local
COPY demo demo
COPY docker docker
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DATA_DIR=/data ENV_FILE=
RUN python -m compileall -q /app
USER 10001:10001
VOLUME /data
EXPOSE 8000
# tini hands signals on and buries what ffmpeg leaves behind.
ENTRYPOINT ["tini", "--", "docker/entrypoint.sh"]
CMD ["web"]
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 CMD ["docker/healthcheck.sh"]
