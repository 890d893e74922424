# The page, which the gateway serves; of what builds it nothing is left in the image.
FROM node:24-bookworm-slim AS page

WORKDIR /frontend
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
RUN npm ci
COPY frontend ./
RUN npm run build

# One image for both kinds of process: `python -m gateway` unless told otherwise. Its tag has no patch level, so
# that a new build has the base's security fixes; everything above the base is pinned by the two locks.
FROM python:3.13-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

# By its number, which is all that Kubernetes can see of it (`runAsNonRoot`).
RUN useradd --create-home --uid 10001 fanline
WORKDIR /app

# Exactly the packages of the lock, checked by their hashes; a layer of their own, which changes seldom.
COPY requirements-runtime.lock ./
RUN pip install --require-hashes -r requirements-runtime.lock

COPY shared ./shared
COPY gateway ./gateway
COPY agent_worker ./agent_worker
COPY --from=page /frontend/dist ./frontend/dist

USER 10001:10001

# In a container, loopback is the container alone: the front proxy has to reach the gateway.
ENV HOST=0.0.0.0 PORT=8000
EXPOSE 8000

# The process answers. Whether it should be sent anything is /readyz, which also asks Redis.
HEALTHCHECK --interval=5s --timeout=3s --start-period=15s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz')"]

CMD ["python", "-m", "gateway"]
