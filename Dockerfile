# The page, which the gateway serves; of what builds it nothing is left in the image.
FROM node:22-slim AS page

WORKDIR /frontend
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
RUN npm ci
COPY frontend ./
RUN npm run build

# One image for both kinds of process: `python -m gateway` unless told otherwise.
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

RUN useradd --create-home --uid 10001 fanline
WORKDIR /app

# Exactly the packages of the lock, checked by their hashes; a layer of their own, which changes seldom.
COPY requirements.lock ./
RUN pip install --require-hashes -r requirements.lock

COPY shared ./shared
COPY gateway ./gateway
COPY agent_worker ./agent_worker
COPY --from=page /frontend/dist ./frontend/dist

USER fanline

# In a container, loopback is the container alone: the front proxy has to reach the gateway.
ENV HOST=0.0.0.0 PORT=8000
EXPOSE 8000

# The process answers. Whether it should be sent anything is /readyz, which also asks Redis.
HEALTHCHECK --interval=5s --timeout=3s --start-period=15s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz')"]

CMD ["python", "-m", "gateway"]
