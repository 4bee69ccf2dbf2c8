"""Superset's side of the hand-over: what concerns Signalbox, and the least around it that starts."""

import os

REDIS_HOST = "redis"  # (3)
REDIS_PORT = 6379  # (3)
REDIS_DB = 0  # (3)

SECRET_KEY = os.environ["SUPERSET_SECRET_KEY"]
SQLALCHEMY_DATABASE_URI = "sqlite:////app/superset_home/superset.db"

FEATURE_FLAGS = {"GLOBAL_ASYNC_QUERIES": True}

GLOBAL_ASYNC_QUERIES_TRANSPORT = "ws"
GLOBAL_ASYNC_QUERIES_WEBSOCKET_URL = "ws://localhost:8088/ws"
GLOBAL_ASYNC_QUERIES_JWT_SECRET = os.environ["ASYNC_JWT_SECRET"]  # (1)
GLOBAL_ASYNC_QUERIES_JWT_COOKIE_NAME = "async-token"  # (2)
GLOBAL_ASYNC_QUERIES_REDIS_STREAM_PREFIX = "async-events-"  # (4)
# Before Superset 5.0: GLOBAL_ASYNC_QUERIES_REDIS_CONFIG, with the keys host, port and db.
GLOBAL_ASYNC_QUERIES_CACHE_BACKEND = {
    "CACHE_TYPE": "RedisCache",
    "CACHE_REDIS_HOST": REDIS_HOST,
    "CACHE_REDIS_PORT": REDIS_PORT,
    "CACHE_REDIS_USER": "",
    "CACHE_REDIS_PASSWORD": "",
    "CACHE_REDIS_DB": REDIS_DB,
    "CACHE_DEFAULT_TIMEOUT": 300,
    "CACHE_REDIS_SSL": False,
}

CACHE_CONFIG = {
    "CACHE_TYPE": "RedisCache",
    "CACHE_DEFAULT_TIMEOUT": 300,
    "CACHE_KEY_PREFIX": "superset_",
    "CACHE_REDIS_HOST": REDIS_HOST,
    "CACHE_REDIS_PORT": REDIS_PORT,
    "CACHE_REDIS_DB": 1,
}
DATA_CACHE_CONFIG = {**CACHE_CONFIG, "CACHE_KEY_PREFIX": "superset_data_"}


class CeleryConfig:
    broker_url = f"redis://{REDIS_HOST}:{REDIS_PORT}/2"
    result_backend = f"redis://{REDIS_HOST}:{REDIS_PORT}/3"
    imports = (
        "superset.sql_lab",
        "superset.tasks.scheduler",
        "superset.tasks.thumbnails",
        "superset.tasks.cache",
    )


CELERY_CONFIG = CeleryConfig
